"""The page of one run: its trace, laps and rulings; with controls for officials, reduced for everybody else."""
