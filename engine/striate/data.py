"""What plugins with data sets and augmentations use: the types that these return, and how all images are resized.

Apart from `striate.plugin`, because it needs numpy: only the modules that make data import it.
"""

from striate.train.data import DataSplits, Examples, ImageArrays  # noqa: TID253 - imported when data is made
from striate.train.image_batch import ImageBatch  # noqa: TID253 - what augmentations work on, imported with them
from striate.train.images import resize_image  # noqa: TID253 - the same

__all__ = ["DataSplits", "Examples", "ImageArrays", "ImageBatch", "resize_image"]
