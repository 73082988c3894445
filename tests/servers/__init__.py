"""Real servers that a test can start: llama.cpp's own, with a model that is a script, and a gateway in front of it."""
