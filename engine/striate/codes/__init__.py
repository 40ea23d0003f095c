"""The catalogue of stable codes: for each a title, the reason, an example and repairs, as pages of text in `pages/`."""

from striate.codes.catalogue import CODE, Page, PageError, catalogue, read_pages

__all__ = ["CODE", "Page", "PageError", "catalogue", "read_pages"]
