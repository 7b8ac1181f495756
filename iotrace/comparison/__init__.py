"""Two reports side by side: a pure function of two recordings."""
