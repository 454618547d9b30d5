"""Why an operation helps or harms: augmentation as a kernel, the linear setting, diagnostics."""
