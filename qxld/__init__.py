"""The daemon: command line, configuration, wiring."""
