"""`./dev metal`: the product on Debian's own kernel and systemd, in a virtual machine with simulated devices."""
