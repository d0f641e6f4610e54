"""When committees want letters: the project's rules, the installation's own, and deadlines set by hand."""
