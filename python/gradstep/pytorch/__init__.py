"""State dicts of ``torch.optim``, read and written; torch itself is never imported."""

from gradstep.pytorch.reading import from_torch_state_dict
from gradstep.pytorch.writing import to_torch_state_dict

__all__ = ["from_torch_state_dict", "to_torch_state_dict"]
