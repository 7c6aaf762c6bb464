"""What the proxy costs, beside native Kamailio that does its main job and nothing else."""
