"""Turn taking measured: cut-offs against delay, interruptions, backchannels and noises."""
