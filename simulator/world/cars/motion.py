"""The arithmetic of one sub-step of the car: one pure function of floats.

`SimulatedCar` calls it and the batch compiles it, so that there is one physics only; therefore it is written in the
subset of Python that numba compiles (the module math and floats). Two kinds of cars: one that rolls without slip (a
kinematic bicycle whose turn may fall with speed), and one whose tyres slide (grip above zero): its sideways speed and
its turning are states of their own, as of the cars of Gazebo, whose tyres hold about half of the car's weight and which
therefore answer late and run wide.
"""

import math

TOP_SPEED_MPS = 4.0
MAX_STEERING_RAD = math.radians(30.0)
WHEELBASE_M = 0.163974
SUB_STEPS_PER_S = 240

# Places in the tuple (or the row of an array) of one car's constants, as `motion_constants` in `car.py` fills it.
(
    DT_S,
    SPEED_GAIN,
    RISING_SHARE,
    FALLING_SHARE,
    BRAKING_SHARE,
    RISING_LIMIT_MPS,
    FALLING_LIMIT_MPS,
    STEERING_GAIN,
    STEERING_SHARE,
    STEERING_TRIM_RAD,
    UNDERSTEER_S2PM2,
    REFERENCE_M,
    GRIP_MPS2,
    SLIP_MPS,
    GYRATION_M,
    SCRUB_M,
) = range(16)
CONSTANTS = 16

Motion = tuple[float, float, float, float, float, float, float]
"""x and y in metres, yaw, speed ahead and to the left (m/s), turning (rad/s), the wheels' angle (rad)."""


def advance(
    x: float,
    y: float,
    yaw: float,
    speed: float,
    sideways: float,
    turning: float,
    steering: float,
    steering_command: float,
    throttle_command: float,
    car: tuple[float, ...],
) -> Motion:
    """Return the motion one sub-step later, with commands from -1 to 1 that hold for it; `car` holds its constants."""
    dt_s = car[DT_S]
    target = steering_command * MAX_STEERING_RAD * car[STEERING_GAIN] + car[STEERING_TRIM_RAD]
    steering += (target - steering) * car[STEERING_SHARE]

    wanted = throttle_command * TOP_SPEED_MPS * car[SPEED_GAIN]
    if abs(wanted) > abs(speed):
        share, limit = car[RISING_SHARE], car[RISING_LIMIT_MPS]
    else:
        share, limit = car[FALLING_SHARE], car[FALLING_LIMIT_MPS]
    if throttle_command == 0.0:
        share = car[BRAKING_SHARE]
    change = max(-limit, min(limit, (wanted - speed) * share))

    reference = car[REFERENCE_M]
    slides = car[GRIP_MPS2] > 0.0
    if slides:
        # Each axle is pushed against its sideways slip: in proportion to it at first, and then by what the tyres hold.
        front = WHEELBASE_M - reference
        across_front = (sideways + front * turning) * math.cos(steering) - speed * math.sin(steering)
        across_rear = sideways - reference * turning
        hold_front, hold_rear = car[GRIP_MPS2] * reference / WHEELBASE_M, car[GRIP_MPS2] * front / WHEELBASE_M
        push_front = -hold_front * across_front / (abs(across_front) + car[SLIP_MPS]) * math.cos(steering)
        push_rear = -hold_rear * across_rear / (abs(across_rear) + car[SLIP_MPS])
        change += turning * sideways * dt_s
        sideways += (push_front + push_rear - turning * speed) * dt_s
        # Wheels of one speed scrub in a turn, the outer ones backwards, the inner ones forwards: that holds the turn.
        along = car[SCRUB_M] * turning
        hold_turn = -car[GRIP_MPS2] * car[SCRUB_M] * along / (abs(along) + car[SLIP_MPS])
        torque = front * push_front - reference * push_rear + hold_turn
        turning += torque / (car[GYRATION_M] * car[GYRATION_M]) * dt_s
        speed += change
        turn = turning * dt_s
    else:
        speed += change
        turn = speed * dt_s * math.tan(steering) / (WHEELBASE_M * (1.0 + car[UNDERSTEER_S2PM2] * speed * speed))
        turning = turn / dt_s
        sideways = reference * turning

    before, middle = yaw, yaw + turn / 2
    yaw += turn
    if yaw > math.pi:  # exact subtractions: this is `math.remainder(yaw, math.tau)`, which numba does not know
        yaw -= math.tau
    elif yaw < -math.pi:
        yaw += math.tau
    if slides:
        x += (speed * math.cos(middle) - sideways * math.sin(middle)) * dt_s
        y += (speed * math.sin(middle) + sideways * math.cos(middle)) * dt_s
    else:  # the rear axle follows the car's heading, the front one the wheels
        travel = speed * dt_s
        x = x - reference * math.cos(before) + travel * math.cos(middle) + reference * math.cos(yaw)
        y = y - reference * math.sin(before) + travel * math.sin(middle) + reference * math.sin(yaw)
    return x, y, yaw, speed, sideways, turning, steering
