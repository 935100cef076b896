"""How a model's files are called, how large they may be, what a car looks with: known before any library is loaded."""

MODEL = "model.onnx"
METADATA = "model_metadata.json"
MOST_MODEL_BYTES = 256 << 20  # the largest network of the field, DEEP for two cameras, has 230 MB
MOST_METADATA_BYTES = 262_144  # 1,024 actions, laid out with room
ONE_CAMERA = ("observation", "FRONT_FACING_CAMERA", "LEFT_CAMERA")  # three names of the one grey front camera
