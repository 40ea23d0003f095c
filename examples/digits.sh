#!/bin/sh
# LeNet-5 on the handwritten digits of scikit-learn: from a text file to a network verified in ONNX Runtime.
# Takes about half a minute on two processors.
#
#   sh examples/digits.sh [FOLDER]      the results go to FOLDER, by default runs/digits
set -eu

cd "$(dirname "$0")/.."
network=examples/lenet5.cnn
folder=${1:-runs/digits}
weights=$folder/best.safetensors
onnx=$folder/lenet5.onnx

command -v striate > /dev/null || {
  echo "The command striate is not installed: run make demo, or pip install '.[all]'." >&2
  exit 1
}

step() {
  printf '\n$ %s\n' "$*" >&2
  "$@"
}

step striate check "$network"
step striate summary "$network"
trained=$(step striate train "$network" --out "$folder" --overwrite)
measured=$(step striate eval "$network" --weights "$weights")
echo "$measured" | sed -n '1p'
step striate predict "$network" --weights "$weights" --split test --limit 3
exported=$(step striate export "$network" --weights "$weights" -o "$onnx")

echo
echo "$trained"
echo "network     $onnx"
echo "verified    $(echo "$exported" | sed -n '$p')"
