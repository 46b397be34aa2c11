"""The HTTP API and the page: pictures in, meshes out, over a queue of jobs.

POST   /v1/reconstructions                       a picture and options -> a job, or with ?format= the mesh itself
GET    /v1/reconstructions/{id}                  its state, and what is known about the mesh
GET    /v1/reconstructions/{id}/mesh.{format}    the mesh
GET    /v1/reconstructions/{id}/{image}.png      view, cutout or preview
DELETE /v1/reconstructions/{id}                  stop it
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from importlib import metadata, resources
from typing import Annotated, Any, Literal

from fastapi import FastAPI, File, Form, HTTPException, Query, Request, Response
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel

from imfield_jax.images import encode_png
from imfield_jax.inference.image_file import TooManyPixels, header_size
from imfield_jax.inference.model import SHIPPED
from imfield_jax.inference.reconstructor import Result
from imfield_jax.mesh import export, preview
from imfield_jax.mesh.layout import layout
from imfield_jax.mesh.simplify import FEWEST_FACES
from imfield_jax.server.config import Config
from imfield_jax.server.jobs import Busy, Job, Jobs, State, Watch
from imfield_jax.server.metrics import CONTENT_TYPE, Metrics
from imfield_jax.server.middleware import RequestLog, SecurityHeaders, SlowUploads, Token
from imfield_jax.server.models import Models

_PAGE = resources.files("imfield_jax.server") / "page"
_MEDIA = {
    "glb": "model/gltf-binary",
    "obj": "model/obj",
    "ply": "application/octet-stream",
    "stl": "model/stl",
    "3mf": "model/3mf",
}
FINEST = 1024  # cells per axis that an operator may allow
_RESOLUTION = 128  # unless the client says
_POLL = 0.02  # seconds between looks at a job that a request waits for
_RETRY = 5  # seconds after which a refused client may try again

Format = Literal["glb", "obj", "ply", "stl", "3mf"]
Size = Annotated[float | None, Query(gt=0, le=1e6, allow_inf_nan=False, description="Longest side in millimetres.")]
Up = Annotated[
    Literal["y", "z"] | None, Query(description="Axis that points up, except in GLB; by default the format's custom.")
]


class PictureCamera(BaseModel):
    """The pinhole camera of the picture, in its pixels.

    pose: rows of the matrix from the camera, which looks along its -z with y up, to the axes and units of GLB files.
    orientation: by which the stored picture becomes the upright one of this width and height, as in EXIF.
    """

    width: int
    height: int
    orientation: int
    focal_length: float
    principal_point: tuple[float, float]
    pose: list[list[float]]


class Reconstruction(BaseModel):
    """A job, and once it is done what is known about its mesh."""

    id: str
    state: State
    step: str
    place: int
    error: str | None = None
    category: str
    resolution: int
    vertices: int | None = None
    faces: int | None = None
    watertight: bool | None = None
    volume: float | None = None
    notes: list[str] = []
    has_cutout: bool = False
    camera: PictureCamera | None = None
    seconds: float | None = None


def create_app(config: Config, models: Models | None = None) -> FastAPI:
    """The application of a server; its worker runs while the application does."""
    models = models or Models(list(config.categories))
    metrics = Metrics()

    @contextlib.asynccontextmanager
    async def running(app: FastAPI) -> AsyncIterator[None]:
        app.state.jobs = Jobs(config.waiting, config.kept, config.kept_seconds, metrics.ended)
        try:
            yield
        finally:
            app.state.jobs.close()

    app = FastAPI(
        title="imfield",
        version=metadata.version("imfield_jax"),
        description="One image of an object in, a closed mesh out.",
        docs_url=None,  # its page would load from elsewhere
        redoc_url=None,
        lifespan=running,
        max_body_size=config.max_bytes,
    )
    # The last one is the outermost.
    app.add_middleware(SlowUploads, seconds=config.upload_seconds)
    if config.token:
        app.add_middleware(Token, token=config.token)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestLog)
    _add_operations(app, metrics)
    _add_reconstructions(app, config, models, metrics)
    app.mount("/", StaticFiles(directory=str(_PAGE), html=True), name="page")
    return app


def _add_operations(app: FastAPI, metrics: Metrics) -> None:
    @app.get("/healthz")
    async def health() -> dict[str, str]:
        """Whether the server answers."""
        return {"status": "ok"}

    @app.get("/metrics", response_class=Response)
    async def measurements() -> Response:
        """Counters and durations for Prometheus."""
        return Response(metrics.encode(app.state.jobs), media_type=CONTENT_TYPE)


def _add_reconstructions(app: FastAPI, config: Config, models: Models, metrics: Metrics) -> None:
    def described(job: Job) -> Reconstruction:
        category, resolution = job.about
        made = Reconstruction(
            id=job.id,
            state=job.state,
            step=job.step,
            place=app.state.jobs.place(job),
            error=job.error,
            category=category,
            resolution=resolution,
        )
        if isinstance(job.result, Result):
            report = job.result.report
            made.vertices, made.faces, made.watertight = report.vertices, report.faces, report.watertight
            made.volume, made.notes = report.signed_volume, job.result.notes
            made.has_cutout = job.result.cutout is not None
            made.camera = _camera(job.result)
            made.seconds = (job.ended or 0) - (job.started or 0)
        return made

    def found(name: str) -> Job:
        job = app.state.jobs.get(name)
        if job is None:
            raise HTTPException(404, "no such reconstruction, or it is no longer kept")
        return job

    def done(name: str) -> Result:
        job = found(name)
        if not isinstance(job.result, Result):
            raise HTTPException(409, f"the reconstruction is {job.state}: {job.error or 'there is no mesh yet'}")
        return job.result

    @app.get("/v1/categories")
    async def categories() -> dict[str, Any]:
        """What this server can reconstruct, and its limits."""
        limits = {"bytes": config.max_bytes, "pixels": config.max_pixels, "resolution": config.max_resolution}
        return {"categories": list(config.categories), "formats": list(export.FORMATS), "limits": limits}

    @app.get("/v1/samples/{category}.png", response_class=FileResponse)
    async def sample(category: str) -> FileResponse:
        """A picture to try a category with."""
        if category not in config.categories:
            raise HTTPException(404, f"no category of this name, expected one of {', '.join(config.categories)}")
        return FileResponse(SHIPPED / f"{category}.png", media_type="image/png")

    @app.post(
        "/v1/reconstructions",
        status_code=202,
        response_model=Reconstruction,
        responses={200: {"description": "The mesh, with ?format="}, 503: {"description": "The queue is full"}},
    )
    async def reconstruct(
        request: Request,
        response: Response,
        picture: Annotated[bytes, File(description="PNG, JPEG, WebP, BMP, TIFF, GIF or AVIF.")],
        category: Annotated[str, Form(max_length=64)] = config.categories[0],
        resolution: Annotated[int | None, Form(ge=16, le=FINEST)] = None,
        max_faces: Annotated[int | None, Form(ge=FEWEST_FACES)] = None,
        color: Annotated[bool, Form()] = False,
        matte: Annotated[Literal["auto", "alpha", "border", "model"], Form()] = "auto",
        scribbles: Annotated[
            bytes | None, File(description="Corrects the cut-out: white on the object, black on the background.")
        ] = None,
        format: Annotated[Format | None, Query(description="Wait, and answer with the mesh.")] = None,
        size_mm: Size = None,
        up: Up = None,
    ) -> Any:
        """Reconstruct a picture. The answer is a job, to look at until it is done; with ?format= it is the mesh."""
        if category not in config.categories:
            raise HTTPException(422, f"category: expected one of {', '.join(config.categories)}")
        cells = resolution or min(_RESOLUTION, config.max_resolution)
        if cells > config.max_resolution:
            raise HTTPException(
                422, f"resolution: expected at most {config.max_resolution} cells per axis, found {cells}"
            )
        for name, contents in (("picture", picture), ("scribbles", scribbles)):
            if contents is not None:
                _check_picture(name, contents, config.max_pixels)

        def work(watch: Watch) -> Result:
            watch("weights")
            return models[category](
                picture, cells, matte=matte, scribbles=scribbles, max_faces=max_faces, color=color, watch=watch
            )

        try:
            job = app.state.jobs.submit(work, (category, cells))
        except Busy:
            metrics.refused()
            raise HTTPException(503, "the queue is full: try again", {"Retry-After": str(_RETRY)}) from None
        if format is None:
            response.headers["Location"] = f"/v1/reconstructions/{job.id}"
            return described(job)
        while job.open:
            if await request.is_disconnected():
                app.state.jobs.cancel(job)
            await asyncio.sleep(_POLL)
        if not isinstance(job.result, Result):
            raise HTTPException(422 if job.state == State.FAILED else 503, job.error or "cancelled")
        return await _encoded(job.result, format, size_mm, up)

    @app.get("/v1/reconstructions/{name}", response_model=Reconstruction)
    async def look(name: str) -> Reconstruction:
        """The state of a reconstruction, and what is known about its mesh."""
        return described(found(name))

    @app.delete("/v1/reconstructions/{name}", response_model=Reconstruction)
    async def stop(name: str) -> Reconstruction:
        """Stop a reconstruction."""
        job = found(name)
        app.state.jobs.cancel(job)
        return described(job)

    @app.get("/v1/reconstructions/{name}/mesh.{format}", response_class=Response)
    async def mesh(name: str, format: Format, size_mm: Size = None, up: Up = None) -> Response:
        """The mesh as a file."""
        return await _encoded(done(name), format, size_mm, up)

    @app.get("/v1/reconstructions/{name}/{image}.png", response_class=Response)
    async def picture_of(name: str, image: Literal["view", "cutout", "preview"]) -> Response:
        """What the network saw, the object without its background, or four sides of the mesh."""
        made = done(name)
        if image == "view":
            contents = encode_png(made.view[..., 0])
        elif image == "preview":
            contents = await asyncio.to_thread(lambda: encode_png(preview.sides(made.mesh)))
        elif made.cutout is not None:
            contents = encode_png(made.cutout)
        else:
            raise HTTPException(404, "nothing was cut out: the picture has a transparent background")
        return Response(contents, media_type="image/png")


def _camera(made: Result) -> PictureCamera | None:
    found = made.picture_camera
    if found is None:
        return None
    return PictureCamera(
        width=found.size[0],
        height=found.size[1],
        orientation=found.orientation,
        focal_length=found.focal,
        principal_point=found.principal,
        pose=layout(made.mesh, "glb").of_pose(found.pose).tolist(),
    )


async def _encoded(made: Result, file_format: str, size_mm: float | None, up: str | None) -> Response:
    style = export.Style(size_mm=size_mm, up=up)
    contents = await asyncio.to_thread(export.encode, made.mesh, file_format, made.name, made.camera, style)
    headers = {"Content-Disposition": f'attachment; filename="mesh.{file_format}"'}
    return Response(contents, media_type=_MEDIA[file_format], headers=headers)


def _check_picture(name: str, contents: bytes, max_pixels: int) -> None:
    """Raises HTTPException for what is no picture, or too large, by its header alone."""
    try:
        width, height = header_size(contents)
    except TooManyPixels:
        width, height = max_pixels, 2
    except ValueError:
        raise HTTPException(415, f"{name}: expected PNG, JPEG, WebP, BMP, TIFF, GIF or AVIF") from None
    if width * height > max_pixels:
        raise HTTPException(413, f"{name}: expected at most {max_pixels:,} pixels, found more: make it smaller")
