"""What layers, arguments and parts of recipes are called elsewhere, for those who write their names from habit."""

from __future__ import annotations

from collections.abc import Collection

_LAYERS = {
    "adaptive_avgpool": (
        "adaptiveavgpool2d",
        "adaptiveavgpool1d",
        "adaptiveavgpool3d",
        "adaptive_avg_pool",
        "adaptive_avg_pool2d",
    ),
    "adaptive_maxpool": (
        "adaptivemaxpool2d",
        "adaptivemaxpool1d",
        "adaptivemaxpool3d",
        "adaptive_max_pool",
        "adaptive_max_pool2d",
    ),
    "add": ("shortcut", "sum"),
    "avgpool": ("averagepooling2d", "avg_pool2d", "avg_pool"),
    "bn": ("batchnorm", "batchnorm2d", "batchnormalization", "batch_norm", "batch_normalization"),
    "concat": ("cat", "concatenate", "route", "torch_cat"),
    "conv": ("convolution", "convolutional", "conv1x1", "conv3x3", "convolution2d"),
    "deconv": ("convtranspose2d", "conv2dtranspose", "conv_transpose", "transposed_conv", "deconvolution"),
    "dense": ("linear", "fc", "fully_connected", "connected", "innerproduct"),
    "dropout": ("dropout2d", "drop"),
    "fractional_maxpool": ("fractionalmaxpool2d", "fractionalmaxpool3d", "fractional_max_pool2d"),
    "gather": ("take_along_dim", "gather_elements", "gatherelements", "index_select"),
    "global_avgpool": ("globalaveragepooling2d", "gap", "global_avg_pool", "global_average_pool"),
    "global_maxpool": ("globalmaxpooling2d", "global_max_pool"),
    "mod": ("remainder", "floormod"),
    "scatter": ("scatter_elements", "scatterelements", "index_put", "scatter_reduce"),
    "topk": ("top_k",),
    "identity": ("skip", "shortcut_identity", "passthrough", "noop"),
    "lppool": ("lppool1d", "lppool2d", "lppool3d", "lp_pool2d", "lp_pool"),
    "lrn": ("localresponsenorm", "local_response_norm"),
    "max_unpool": ("maxunpool1d", "maxunpool2d", "maxunpool3d", "max_unpool2d"),
    "maxpool": ("maxpooling2d", "max_pool2d", "max_pool", "pool"),
    "minpool": ("min_pool", "minpooling2d", "min_pool2d"),
    "mul": ("multiply",),
    "flatten": ("reshape", "view"),
    "psroi_pool": ("psroipool", "ps_roi_pool"),
    "roi_align": ("roialign",),
    "roi_pool": ("roipool", "roi_pooling", "maxroipool"),
    "spp": ("spatial_pyramid_pooling", "spatialpyramidpooling"),
}
_ARGUMENTS = {
    "bias": ("use_bias",),
    "ceil": ("ceil_mode",),
    "channels": ("filters", "out_channels", "out_planes", "num_filters", "output_channels", "out", "planes"),
    "dilation": ("dilation_rate", "atrous"),
    "features": ("units", "out_features", "num_units", "output"),
    "fill": ("padding_mode", "pad_mode"),
    "indices": ("return_indices",),
    "init": ("kernel_initializer", "weight_init"),
    "kernel": ("kernel_size", "pool_size", "ksize", "filter_size", "size", "k"),
    "lr": ("learning_rate", "rate", "eta", "alpha"),
    "pad": ("padding", "p"),
    "p": ("norm_type",),
    "rate": ("p", "prob", "probability", "drop_prob"),
    "size": ("output_size",),
    "stride": ("strides", "s", "subsample"),
}
_CHOICES = {
    "circular": ("wrap", "periodic"),
    "grey": ("gray", "grayscale", "greyscale"),
    "he_normal": ("kaiming_normal", "msra"),
    "he_uniform": ("kaiming_uniform",),
    "reflect": ("reflection", "mirror", "reflect_101"),
    "replicate": ("edge", "border", "nearest"),
    "xavier_normal": ("glorot_normal",),
    "xavier_uniform": ("glorot_uniform",),
    "zeros": ("zero",),
}
_PARTS = {
    "affine": ("randomaffine", "random_affine", "shiftscalerotate"),
    "blur": ("gaussianblur", "gaussian_blur", "randomgaussianblur"),
    "calibration_error": ("ece", "expected_calibration_error"),
    "color_jitter": ("colorjitter", "colour_jitter", "randomcolorjitter", "brightness", "contrast"),
    "confusion": ("confusion_matrix", "confusionmatrix"),
    "constant": ("constant_",),
    "crop": ("randomcrop", "random_crop"),
    "cutout": ("cutout2d", "coarsedropout", "coarse_dropout"),
    "dice": ("dice_score", "dice_coefficient"),
    "dirac": ("identity", "eye", "eye_", "dirac_"),
    "elastic_net": ("l1_l2", "l1l2", "elasticnet"),
    "erasing": ("randomerasing", "random_erasing", "random_erase"),
    "f1": ("f1score", "f1_score", "fbeta", "f_beta", "fbeta_score"),
    "grey": ("randomgrayscale", "random_grayscale", "to_gray", "togray"),
    "he_normal": ("kaiming_normal_", "henormal", "kaiming"),
    "he_uniform": ("kaiming_uniform_", "heuniform"),
    "hflip": ("horizontal_flip", "randomhorizontalflip", "random_horizontal_flip", "horizontalflip", "fliplr"),
    "iou": ("jaccard", "jaccard_index", "mean_iou", "miou"),
    "kappa": ("cohen_kappa", "cohenkappa", "cohen_kappa_score"),
    "l1": ("lasso",),
    "l2": ("weight_decay",),
    "l2_half": ("ridge",),
    "matthews": ("mcc", "matthews_corrcoef"),
    "max_norm": ("maxnorm", "max_norm_"),
    "mean_average_precision": ("map", "map50", "map_50"),
    "noise": ("gaussian_noise", "gaussnoise", "randomgaussiannoise", "gaussiannoise"),
    "non_negative": ("nonneg", "non_neg"),
    "orthogonal": ("orthogonal_", "srip", "svd"),
    "pr": ("average_precision", "averageprecision", "precision_recall_curve", "auprc", "pr_auc"),
    "rand_augment": ("randaugment",),
    "recall": ("sensitivity", "tpr", "balanced_accuracy"),
    "resized_crop": ("randomresizedcrop", "random_resized_crop", "zoom"),
    "roc": ("auc", "auroc", "roc_auc", "rocauc"),
    "rotation": ("randomrotation", "random_rotation", "rotate"),
    "specificity": ("tnr",),
    "trivial_augment": ("trivialaugment", "trivialaugmentwide", "trivial_augment_wide"),
    "truncated_normal": ("trunc_normal", "trunc_normal_", "truncatednormal"),
    "unit_norm": ("unitnorm",),
    "variance_scaling": ("variancescaling",),
    "vflip": ("vertical_flip", "randomverticalflip", "random_vertical_flip", "verticalflip", "flipud"),
    "xavier_normal": ("glorotnormal", "xavier_normal_", "glorot", "xavier"),
    "xavier_uniform": ("glorotuniform", "xavier_uniform_"),
}
"""Parts of recipes."""

_SEPARABLE = (
    "{name} means two things: DepthwiseSeparable (each channel for itself, then 1x1) and SpatiallySeparable (kernel x "
    "1, then 1 x kernel); write use std.blocks and the one that is meant"
)
_AMBIGUOUS = {
    **dict.fromkeys(
        (
            *("sepconv", "sepconv2d", "sep_conv", "separable", "separableconv", "separable_conv", "separable_conv2d"),
            *("sep_conv_2d", "separableconv2d", "separable_convolution", "separable_conv_2d"),
        ),
        _SEPARABLE,
    ),
}
"""Names for which the field has two meanings, so that none of them is proposed as a repair."""

_OURS: dict[str, list[str]] = {}
for _table in (_LAYERS, _ARGUMENTS, _CHOICES, _PARTS):
    for _ours, _theirs in _table.items():
        for _their in _theirs:
            _OURS.setdefault(_their, []).append(_ours)


def known_elsewhere(name: str, known: Collection[str]) -> str | None:
    """Return the known name for what `name` means in another framework, or None."""
    return next((ours for ours in _OURS.get(name.lower(), ()) if ours in known), None)


def ambiguous(name: str) -> str | None:
    """Return what to write instead of a name that means two things, or None."""
    said = _AMBIGUOUS.get(name.lower())
    return said.format(name=name) if said else None


def word_of(name: str, known: Collection[str]) -> str | None:
    """Return the one known name that is a word of `name` (`num_classes` for `classes`), or None."""
    words = name.lower().split("_")
    found = [item for item in known if item.lower() in words and len(item) > 1]
    return found[0] if len(found) == 1 and len(words) > 1 else None
