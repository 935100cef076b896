"""How a model's files are called and how large they may be: known before any library is loaded."""

MODEL = "model.onnx"
METADATA = "model_metadata.json"
MOST_MODEL_BYTES = 256 << 20  # the largest network of the field, DEEP for two cameras, has 230 MB
MOST_METADATA_BYTES = 65_536
