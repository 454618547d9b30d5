"""Find the subgroup on which a model fails, mend the model, prove it."""
