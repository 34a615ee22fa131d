"""What technicians run: `chot bench …`. Figures are printed beside the floor of the same run."""
