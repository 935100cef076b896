"""The emergency button on a header pin, with a normally-closed contact to ground: pressed or broken wire, it stops.

The pin is pulled up inside. While the contact is closed the pin is low; a pressed button, a torn wire and a plug that
fell out all let it go high. The level is read in every turn of the guard's loop; a shorter opening is remembered.
"""

import importlib

from gpiozero import DigitalInputDevice
from gpiozero.pins import Factory

from shared.errors import HardwareMissing

OPEN = "The emergency button is pressed, or its wire is broken: release it, then reset the car."
FACTORIES = {"lgpio": "LGPIOFactory", "rpigpio": "RPiGPIOFactory", "pigpio": "PiGPIOFactory"}


class StopButton:
    """Takes its pin when built. Raises HardwareMissing."""

    def __init__(self, pin: int, library: str = "lgpio", factory: Factory | None = None) -> None:
        self._pin = pin
        self._opened = False
        found = factory if factory is not None else _factory(library)
        try:
            self._contact = DigitalInputDevice(pin, pull_up=True, pin_factory=found)
        except Exception as error:  # each pin library has errors of its own kind: lgpio.error, pigpio.error
            if factory is None:
                found.close()  # tried again and again, it may not keep a handle of each time
            raise HardwareMissing(
                f"GPIO{pin} cannot be read ({error}): is the pin of the emergency button free?"
            ) from None
        self._contact.when_deactivated = self._on_opened

    def reason(self) -> str:
        """Why the car must stop now; '' while the contact is closed. A contact that opened but for a moment counts."""
        opened, self._opened = self._opened, False
        try:
            closed = bool(self._contact.is_active)
        except Exception as error:  # whatever it is: a button that cannot be read is no closed contact
            return f"The emergency button at GPIO{self._pin} cannot be read ({error})."
        return OPEN if opened or not closed else ""

    def close(self) -> None:
        """Let the pin go; idempotent."""
        self._contact.close()

    def _on_opened(self) -> None:
        """On the pin library's thread."""
        self._opened = True


def _factory(library: str) -> Factory:
    try:
        module = importlib.import_module(f"gpiozero.pins.{library}")
        made: Factory = getattr(module, FACTORIES[library])()
    except Exception as error:  # no library, no chip, no daemon: each has errors of its own kind
        raise HardwareMissing(
            f"the emergency button needs gpiozero on {library} ({error}): install it, or choose another library."
        ) from None
    return made
