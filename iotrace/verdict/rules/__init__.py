"""What can be wrong: a rule a module, or a small family of them."""
