"""Pictures of what layers do to small images, drawn from what the layers really compute."""

from striate.reference.pictures.table import PICTURES, WITHOUT, picture

__all__ = ["PICTURES", "WITHOUT", "picture"]
