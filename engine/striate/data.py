"""What plugins with data sets use: the types that a data set returns, and the resizing that all images go through.

Apart from `striate.plugin`, because it needs numpy: only the modules that make data import it.
"""

from striate.train.data import DataSplits, Examples, ImageArrays  # noqa: TID253 - imported when data is made
from striate.train.images import resize_image  # noqa: TID253 - the same

__all__ = ["DataSplits", "Examples", "ImageArrays", "resize_image"]
