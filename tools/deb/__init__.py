"""The Debian package: `./dev deb` builds `dist/raceday_VERSION_ARCH.deb` from the role locks; `python -m tools.deb --help`."""
