"""Other people's clients as witnesses: what they make of recorded bytes, beside what the bytes say."""
