"""How a model drives in the mock world: policy, drive chain, evaluation."""
