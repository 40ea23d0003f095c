"""Data sets."""

from striate.plugin import Argument, DataRecord, Factory, Integer, Optional

DATA_SETS = (
    DataRecord(
        "digits",
        "The 1,797 handwritten digits that come with scikit-learn (8 x 8, grey), resized to the network's input.",
        Factory("striate_plugins.data.digits:digits"),
        (
            Argument("limit", Optional(Integer(50)), "Use only so many images, for a quick try.", None),
            Argument("channels", Integer(), "Repeat the grey image in so many channels.", 1),
        ),
    ),
)
