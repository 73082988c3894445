"""What is asked of a provider: scenarios, boundary probes, and the plan of a run. Sends nothing."""
