import pathlib
from tools.metal.guest.checks import check, run
pathlib.Path("/etc/apt/sources.list").unlink(missing_ok=True)
for f in pathlib.Path("/etc/apt/sources.list.d").glob("*"): f.unlink()
pathlib.Path("/etc/apt/sources.list.d/metal.list").write_text("deb [trusted=yes] file:/metal/files/packages ./\n")
run(["apt-get","update"])
d=run(["apt-get","install","-y","/metal/files/"+next(pathlib.Path("/metal/files").glob("*.deb")).name], 1200)
check("apt", d.returncode==0, d.stderr[-300:])
import time
t=time.time()
run(["python3","-m","venv","/opt/raceday"])
d=run(["/opt/raceday/bin/pip","install","-q","--no-index","--find-links","/usr/share/raceday/wheels","raceday[station,vehicle,pi]"],2000)
check("pip", d.returncode==0, f"{time.time()-t:.0f} s "+d.stderr[-300:])
