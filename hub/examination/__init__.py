"""What the hub makes of what it holds: flags that take more than one batch to see."""
