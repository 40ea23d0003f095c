"""Options of layers that say nothing about what a trained network computes: training, losses, decoding of boxes."""

from __future__ import annotations

_OF_ANY_LAYER = """
stopbackward onlyforward dont_update burnin_update train_only_bn learning_rate clip numload smooth dontload
dontloadscales
"""

_OF_CONVOLUTIONS = """
dot assisted_excitation bin_output reverse grad_centr angle stream wait_stream coordconv maxpool_zero_nonmax
"""

_OF_HEADS = """
absolute beta_nms bias_match class_scale classes classfix cls_normalizer coord_scale counters_per_class
delta_normalizer dets_for_show dets_for_track embedding_layer focal_loss forced ignore_thresh iou_loss
iou_normalizer iou_thresh iou_thresh_kind jitter label_smooth_eps log map mask_scale max max_delta new_coords
nms_kind noobject_scale obj_normalizer object_scale objectness_smooth random reorg rescore resize scale_x_y
show_details sim_thresh softmax sqrt thresh track_ciou_norm track_history_size tree truth_thresh uc_normalizer
yolo_point
"""

_OF_LOSSES_AND_PIXELS = """
contrastive_neg_max dropblock_size_abs dropblock_size_rel exposure flip hue noloss ratio saturation scale shift
temperature type yolo_layer
"""

WITHOUT_EFFECT = frozenset(" ".join((_OF_ANY_LAYER, _OF_CONVOLUTIONS, _OF_HEADS, _OF_LOSSES_AND_PIXELS)).split())
"""The options, by key; all others that no reader asks for are told."""
