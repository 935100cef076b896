"""Writes the orders for the cars: new ones, and the same again with the car's newer heartbeats.

Used by car_control.py, which decides what a car is to do, and holds its lock around every call.
"""

from shared.protocol import messages as m
from shared.units import NS_PER_MS
from station.service.cars.controlled_car import ControlledCar, next_action

Reply = tuple[str, m.Body]  # (car, message)


class OrderWriter:
    """Gives each order its id, unique across restarts by `nonce`; an order is valid for `ttl_ms`."""

    def __init__(self, ttl_ms: int, nonce: str) -> None:
        self._ttl_ms, self._nonce = ttl_ms, nonce
        self._count = 0

    @property
    def repeat_ns(self) -> int:
        """After this time an order that was not followed is sent again."""
        return self._ttl_ms * NS_PER_MS // 4

    def due(self, car: ControlledCar, run_id: str, now_ns: int) -> list[Reply]:
        """The order that is due, if any: repeated with newer heartbeats, under a new id once its lifetime is over."""
        action = next_action(car)
        if action is None:
            return []
        if action != car.step or now_ns - car.step_ns > self._ttl_ms * NS_PER_MS:
            return [self.new(car, action, run_id, now_ns)]
        return [] if now_ns - car.order_sent_ns < self.repeat_ns else [self._order(car, action, run_id, now_ns)]

    def new(self, car: ControlledCar, action: m.OrderAction, run_id: str, now_ns: int) -> Reply:
        """A new order for the car, which is its next step from now on."""
        car.step, car.step_ns = action, now_ns
        car.order_id = self._next_id()
        return self._order(car, action, run_id, now_ns)

    def stop_for(self, name: str, boot: str, heartbeat: int) -> Reply:
        """An emergency stop for one machine, by its boot: for a machine that uses another's name."""
        return name, m.DriveOrder(self._next_id(), "estop", boot, heartbeat, self._ttl_ms, "")

    def _next_id(self) -> str:
        self._count += 1
        return f"{self._nonce}-{self._count}"

    def _order(self, car: ControlledCar, action: m.OrderAction, run_id: str, now_ns: int) -> Reply:
        car.order_sent_ns = now_ns
        where = (car.order_id, action, car.boot, car.heartbeat, self._ttl_ms, run_id)
        return car.name, m.DriveOrder(*where, car.throttle_percent)
