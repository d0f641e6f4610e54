"""The performance harness over several services: what `clarion bench` measures."""
