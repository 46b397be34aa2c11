"""The 55 categories of ShapeNetCore.v2: names, synsets, model counts, and models without a mesh."""

from __future__ import annotations

# The synset of each category and how many of its models have a mesh, 52,470 in all: as counted in the lists of
# ShapeNet-55 (Yu et al., PoinTr, 2021), which name every model that could be read.
CATEGORIES = {
    "airplane": ("02691156", 4045),
    "bag": ("02773838", 83),
    "basket": ("02801938", 113),
    "bathtub": ("02808440", 856),
    "bed": ("02818832", 233),
    "bench": ("02828884", 1813),
    "birdhouse": ("02843684", 73),
    "bookshelf": ("02871439", 452),
    "bottle": ("02876657", 498),
    "bowl": ("02880940", 186),
    "bus": ("02924116", 939),
    "cabinet": ("02933112", 1571),
    "camera": ("02942699", 113),
    "can": ("02946921", 108),
    "cap": ("02954340", 56),
    "car": ("02958343", 3514),
    "cellphone": ("02992529", 831),
    "chair": ("03001627", 6778),
    "clock": ("03046257", 651),
    "dishwasher": ("03207941", 93),
    "display": ("03211117", 1093),
    "earphone": ("03261776", 73),
    "faucet": ("03325088", 744),
    "file_cabinet": ("03337140", 298),
    "guitar": ("03467517", 797),
    "helmet": ("03513137", 162),
    "jar": ("03593526", 596),
    "keyboard": ("03085013", 65),
    "knife": ("03624134", 424),
    "lamp": ("03636649", 2318),
    "laptop": ("03642806", 460),
    "loudspeaker": ("03691459", 1597),
    "mailbox": ("03710193", 94),
    "microphone": ("03759954", 67),
    "microwave": ("03761084", 152),
    "motorbike": ("03790512", 337),
    "mug": ("03797390", 214),
    "piano": ("03928116", 239),
    "pillow": ("03938244", 96),
    "pistol": ("03948459", 307),
    "flowerpot": ("03991062", 602),
    "printer": ("04004475", 166),
    "remote_control": ("04074963", 66),
    "rifle": ("04090263", 2373),
    "rocket": ("04099429", 85),
    "skateboard": ("04225987", 152),
    "sofa": ("04256520", 3173),
    "stove": ("04330267", 218),
    "table": ("04379243", 8434),
    "telephone": ("04401088", 1089),
    "tower": ("04460130", 133),
    "train": ("04468005", 389),
    "trash_bin": ("02747177", 343),
    "washer": ("04554684", 169),
    "watercraft": ("04530566", 1939),
}

ANY = "any"  # the category of weights for several

# The categories of 3D-R2N2, on which IM-NET, Occupancy Networks and others train one network.
THIRTEEN = (
    *("airplane", "bench", "cabinet", "car", "chair", "display", "lamp", "loudspeaker", "rifle", "sofa", "table"),
    *("telephone", "watercraft"),
)

# Other names that papers and data sets use for the same synsets.
ALIASES = {
    "couch": "sofa",
    "phone": "telephone",
    "plane": "airplane",
    "speaker": "loudspeaker",
    "vessel": "watercraft",
}

# Models that come without a mesh: 19 of 3,533 cars (known from Kubric's list of problematic models, exactly those
# that ShapeNet-55 lacks).
WITHOUT_MESH = {
    "02958343/207e69af994efa9330714334794526d4",
    "02958343/2307b51ca7e4a03d30714334794526d4",
    "02958343/302612708e86efea62d2c237bfbc22ca",
    "02958343/3c33f9f8edc558ce77aa0b62eed1492",
    "02958343/3ffeec4abd78c945c7c79bdb1d5fe365",
    "02958343/407f2811c0fe4e9361c6c61410fc904b",
    "02958343/4ddef66f32e1902d3448fdcb67fe08ff",
    "02958343/5973afc979049405f63ee8a34069b7c5",
    "02958343/5bf2d7c2167755a72a9eb0f146e94477",
    "02958343/7aa9619e89baaec6d9b8dfa78596b717",
    "02958343/806d740ca8fad5c1473f10e6caaeca56",
    "02958343/8070747805908ae62a9eb0f146e94477",
    "02958343/93ce8e230939dfc230714334794526d4",
    "02958343/986ed07c18a2e5592a9eb0f146e94477",
    "02958343/9fb1d03b22ecac5835da01f298003d56",
    "02958343/d6ee8e0a0b392f98eb96598da750ef34",
    "02958343/e6c22be1a39c9b62fb403c87929e1167",
    "02958343/ea3f2971f1c125076c4384c3b17a86ea",
    "02958343/f5bac2b133a979c573397a92d1662ba5",
}

_SYNSETS = {synset: models for synset, models in CATEGORIES.values()}


def synset_of(category: str) -> str:
    """The 8-digit synset of a category given by name, alias or synset. Raises ValueError for others."""
    name = category.strip().lower().replace(" ", "_").replace("-", "_")
    name = ALIASES.get(name, name)
    if name in CATEGORIES:
        return CATEGORIES[name][0]
    if name in _SYNSETS:
        return name
    raise ValueError(f"category: expected a ShapeNet synset or one of {', '.join(CATEGORIES)}; found '{category}'")
