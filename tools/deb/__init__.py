"""The Debian package: `./dev deb` builds `dist/raceday_VERSION_ARCH.deb` from the locks of the roles."""
