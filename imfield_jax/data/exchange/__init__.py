"""Prepared datasets as the files that other code of this field reads, and those files as datasets."""
