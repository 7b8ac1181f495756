"""A long trace at full rate: nothing may grow, nothing may be lost unreported."""
