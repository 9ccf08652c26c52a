# Written by `make stubs`.

from gradstep.types import Floats, Indices, Rate

__all__ = [
    "adabelief",
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "adamw",
    "adan",
    "ademamix",
    "adopt",
    "dog",
    "lamb",
    "lars",
    "lion",
    "nadam",
    "prodigy",
    "radam",
    "rmsprop",
    "rprop",
    "schedulefreeadamw",
    "schedulefreesgd",
    "sgd",
    "yogi",
]

def adabelief(
    p: Floats,
    g: Floats | float,
    exp_avg: Floats,
    exp_avg_var: Floats,
    /,
    *,
    step: int,
    lr: Rate = 0.001,
    beta1: Rate = 0.9,
    beta2: Rate = 0.999,
    eps: Rate = 1e-16,
    eps_root: Rate = 1e-16,
    weight_decay: Rate = 0.0,
    eps_hat: bool = False,
    bias_correction: bool = True,
    out: Floats | None = None,
    rows: Indices | None = None,
) -> None:
    """Update one array and its state in place, by the rule of `gradstep.AdaBelief`.

    Args:
        p: the parameter, an array that can be updated in place.
        g: its gradient, of the same shape; any float dtype and memory order.
        exp_avg, exp_avg_var:
            the state, each array with the shape, dtype and memory order of p; before the first update,
            what the class starts from: zeros, unless it says otherwise.
        step: the number of updates done before this one; 0 at the first.
        lr, beta1, beta2, eps, eps_root, weight_decay, eps_hat, bias_correction:
            as of the class, with its defaults. A schedule is evaluated at step.
        out: where the new parameter goes, an array like p, which is then only read; None: into p.
        rows: the numbers of the rows that g has values for, one after the other, as in `gradstep.Rows`: only
            these rows of p and of the state are read and written. None: g is the gradient of all of p.

    Raises:
        TypeError: an argument is of the wrong type, unknown or missing.
        ValueError: shapes or memory orders differ, memory overlaps, or a value is out of range.
    """

def adadelta(
    p: Floats,
    g: Floats | float,
    square_avg: Floats,
    acc_delta: Floats,
    /,
    *,
    step: int,
    lr: Rate = 1.0,
    rho: Rate = 0.9,
    eps: Rate = 1e-06,
    weight_decay: Rate = 0.0,
    out: Floats | None = None,
    rows: Indices | None = None,
) -> None:
    """Update one array and its state in place, by the rule of `gradstep.Adadelta`.

    Args:
        p: the parameter, an array that can be updated in place.
        g: its gradient, of the same shape; any float dtype and memory order.
        square_avg, acc_delta:
            the state, each array with the shape, dtype and memory order of p; before the first update,
            what the class starts from: zeros, unless it says otherwise.
        step: the number of updates done before this one; 0 at the first.
        lr, rho, eps, weight_decay:
            as of the class, with its defaults. A schedule is evaluated at step.
        out: where the new parameter goes, an array like p, which is then only read; None: into p.
        rows: the numbers of the rows that g has values for, one after the other, as in `gradstep.Rows`: only
            these rows of p and of the state are read and written. None: g is the gradient of all of p.

    Raises:
        TypeError: an argument is of the wrong type, unknown or missing.
        ValueError: shapes or memory orders differ, memory overlaps, or a value is out of range.
    """

def adagrad(
    p: Floats,
    g: Floats | float,
    sum: Floats,
    /,
    *,
    step: int,
    lr: Rate = 0.01,
    lr_decay: Rate = 0.0,
    weight_decay: Rate = 0.0,
    initial_accumulator_value: Rate = 0.0,
    eps: Rate = 1e-10,
    eps_root: Rate = 0.0,
    out: Floats | None = None,
    rows: Indices | None = None,
) -> None:
    """Update one array and its state in place, by the rule of `gradstep.Adagrad`.

    Args:
        p: the parameter, an array that can be updated in place.
        g: its gradient, of the same shape; any float dtype and memory order.
        sum:
            the state, each array with the shape, dtype and memory order of p; before the first update,
            what the class starts from: zeros, unless it says otherwise.
        step: the number of updates done before this one; 0 at the first.
        lr, lr_decay, weight_decay, initial_accumulator_value, eps, eps_root:
            as of the class, with its defaults. A schedule is evaluated at step.
        out: where the new parameter goes, an array like p, which is then only read; None: into p.
        rows: the numbers of the rows that g has values for, one after the other, as in `gradstep.Rows`: only
            these rows of p and of the state are read and written. None: g is the gradient of all of p.

    Raises:
        TypeError: an argument is of the wrong type, unknown or missing.
        ValueError: shapes or memory orders differ, memory overlaps, or a value is out of range.
    """

def adam(
    p: Floats,
    g: Floats | float,
    exp_avg: Floats,
    exp_avg_sq: Floats,
    max_exp_avg_sq: Floats | None = None,
    /,
    *,
    step: int,
    lr: Rate = 0.001,
    beta1: Rate = 0.9,
    beta2: Rate = 0.999,
    eps: Rate = 1e-08,
    weight_decay: Rate = 0.0,
    amsgrad: bool = False,
    eps_hat: bool = False,
    eps_root: Rate = 0.0,
    bias_correction: bool = True,
    initial_accumulator_value: Rate = 0.0,
    first_count: Rate = 1.0,
    out: Floats | None = None,
    rows: Indices | None = None,
) -> None:
    """Update one array and its state in place, by the rule of `gradstep.Adam`.

    Args:
        p: the parameter, an array that can be updated in place.
        g: its gradient, of the same shape; any float dtype and memory order.
        exp_avg, exp_avg_sq, max_exp_avg_sq:
            the state, each array with the shape, dtype and memory order of p; before the first update,
            what the class starts from: zeros, unless it says otherwise.
            Only with the options that want it: max_exp_avg_sq.
        step: the number of updates done before this one; 0 at the first.
        lr, beta1, beta2, eps, weight_decay, amsgrad, eps_hat, eps_root, bias_correction:
            as of the class, with its defaults. A schedule is evaluated at step.
        initial_accumulator_value, first_count:
            as of the class, with its defaults. A schedule is evaluated at step.
        out: where the new parameter goes, an array like p, which is then only read; None: into p.
        rows: the numbers of the rows that g has values for, one after the other, as in `gradstep.Rows`: only
            these rows of p and of the state are read and written. None: g is the gradient of all of p.

    Raises:
        TypeError: an argument is of the wrong type, unknown or missing.
        ValueError: shapes or memory orders differ, memory overlaps, or a value is out of range.
    """

def adamax(
    p: Floats,
    g: Floats | float,
    exp_avg: Floats,
    exp_inf: Floats,
    /,
    *,
    step: int,
    lr: Rate = 0.002,
    beta1: Rate = 0.9,
    beta2: Rate = 0.999,
    eps: Rate = 1e-08,
    weight_decay: Rate = 0.0,
    eps_hat: bool = False,
    bias_correction: bool = True,
    out: Floats | None = None,
    rows: Indices | None = None,
) -> None:
    """Update one array and its state in place, by the rule of `gradstep.Adamax`.

    Args:
        p: the parameter, an array that can be updated in place.
        g: its gradient, of the same shape; any float dtype and memory order.
        exp_avg, exp_inf:
            the state, each array with the shape, dtype and memory order of p; before the first update,
            what the class starts from: zeros, unless it says otherwise.
        step: the number of updates done before this one; 0 at the first.
        lr, beta1, beta2, eps, weight_decay, eps_hat, bias_correction:
            as of the class, with its defaults. A schedule is evaluated at step.
        out: where the new parameter goes, an array like p, which is then only read; None: into p.
        rows: the numbers of the rows that g has values for, one after the other, as in `gradstep.Rows`: only
            these rows of p and of the state are read and written. None: g is the gradient of all of p.

    Raises:
        TypeError: an argument is of the wrong type, unknown or missing.
        ValueError: shapes or memory orders differ, memory overlaps, or a value is out of range.
    """

def adamw(
    p: Floats,
    g: Floats | float,
    exp_avg: Floats,
    exp_avg_sq: Floats,
    max_exp_avg_sq: Floats | None = None,
    /,
    *,
    step: int,
    lr: Rate = 0.001,
    beta1: Rate = 0.9,
    beta2: Rate = 0.999,
    eps: Rate = 1e-08,
    weight_decay: Rate = 0.01,
    amsgrad: bool = False,
    eps_hat: bool = False,
    eps_root: Rate = 0.0,
    bias_correction: bool = True,
    initial_accumulator_value: Rate = 0.0,
    first_count: Rate = 1.0,
    out: Floats | None = None,
    rows: Indices | None = None,
) -> None:
    """Update one array and its state in place, by the rule of `gradstep.AdamW`.

    Args:
        p: the parameter, an array that can be updated in place.
        g: its gradient, of the same shape; any float dtype and memory order.
        exp_avg, exp_avg_sq, max_exp_avg_sq:
            the state, each array with the shape, dtype and memory order of p; before the first update,
            what the class starts from: zeros, unless it says otherwise.
            Only with the options that want it: max_exp_avg_sq.
        step: the number of updates done before this one; 0 at the first.
        lr, beta1, beta2, eps, weight_decay, amsgrad, eps_hat, eps_root, bias_correction:
            as of the class, with its defaults. A schedule is evaluated at step.
        initial_accumulator_value, first_count:
            as of the class, with its defaults. A schedule is evaluated at step.
        out: where the new parameter goes, an array like p, which is then only read; None: into p.
        rows: the numbers of the rows that g has values for, one after the other, as in `gradstep.Rows`: only
            these rows of p and of the state are read and written. None: g is the gradient of all of p.

    Raises:
        TypeError: an argument is of the wrong type, unknown or missing.
        ValueError: shapes or memory orders differ, memory overlaps, or a value is out of range.
    """

def adan(
    p: Floats,
    g: Floats | float,
    exp_avg: Floats,
    exp_avg_diff: Floats,
    exp_avg_sq: Floats,
    prev_grad: Floats,
    /,
    *,
    step: int,
    lr: Rate = 0.001,
    beta1: Rate = 0.98,
    beta2: Rate = 0.92,
    beta3: Rate = 0.99,
    eps: Rate = 1e-08,
    eps_root: Rate = 1e-08,
    weight_decay: Rate = 0.0,
    difference_form: str = "optax",
    eps_hat: bool = False,
    bias_correction: bool = True,
    out: Floats | None = None,
    rows: Indices | None = None,
) -> None:
    """Update one array and its state in place, by the rule of `gradstep.Adan`.

    Args:
        p: the parameter, an array that can be updated in place.
        g: its gradient, of the same shape; any float dtype and memory order.
        exp_avg, exp_avg_diff, exp_avg_sq, prev_grad:
            the state, each array with the shape, dtype and memory order of p; before the first update,
            what the class starts from: zeros, unless it says otherwise.
        step: the number of updates done before this one; 0 at the first.
        lr, beta1, beta2, beta3, eps, eps_root, weight_decay, difference_form, eps_hat, bias_correction:
            as of the class, with its defaults. A schedule is evaluated at step.
        out: where the new parameter goes, an array like p, which is then only read; None: into p.
        rows: the numbers of the rows that g has values for, one after the other, as in `gradstep.Rows`: only
            these rows of p and of the state are read and written. None: g is the gradient of all of p.

    Raises:
        TypeError: an argument is of the wrong type, unknown or missing.
        ValueError: shapes or memory orders differ, memory overlaps, or a value is out of range.
    """

def ademamix(
    p: Floats,
    g: Floats | float,
    exp_avg_fast: Floats,
    exp_avg_slow: Floats,
    exp_avg_sq: Floats,
    /,
    *,
    step: int,
    lr: Rate = 0.001,
    beta1: Rate = 0.9,
    beta2: Rate = 0.999,
    beta3: Rate = 0.9999,
    alpha: Rate = 5.0,
    eps: Rate = 1e-08,
    weight_decay: Rate = 0.0,
    eps_hat: bool = False,
    eps_root: Rate = 0.0,
    bias_correction: bool = True,
    out: Floats | None = None,
    rows: Indices | None = None,
) -> None:
    """Update one array and its state in place, by the rule of `gradstep.AdEMAMix`.

    Args:
        p: the parameter, an array that can be updated in place.
        g: its gradient, of the same shape; any float dtype and memory order.
        exp_avg_fast, exp_avg_slow, exp_avg_sq:
            the state, each array with the shape, dtype and memory order of p; before the first update,
            what the class starts from: zeros, unless it says otherwise.
        step: the number of updates done before this one; 0 at the first.
        lr, beta1, beta2, beta3, alpha, eps, weight_decay, eps_hat, eps_root, bias_correction:
            as of the class, with its defaults. A schedule is evaluated at step.
        out: where the new parameter goes, an array like p, which is then only read; None: into p.
        rows: the numbers of the rows that g has values for, one after the other, as in `gradstep.Rows`: only
            these rows of p and of the state are read and written. None: g is the gradient of all of p.

    Raises:
        TypeError: an argument is of the wrong type, unknown or missing.
        ValueError: shapes or memory orders differ, memory overlaps, or a value is out of range.
    """

def adopt(
    p: Floats,
    g: Floats | float,
    exp_avg: Floats,
    exp_avg_sq: Floats,
    /,
    *,
    step: int,
    lr: Rate = 0.001,
    beta1: Rate = 0.9,
    beta2: Rate = 0.9999,
    eps: Rate = 1e-06,
    weight_decay: Rate = 0.0,
    use_clipping: bool = True,
    out: Floats | None = None,
    rows: Indices | None = None,
) -> None:
    """Update one array and its state in place, by the rule of `gradstep.ADOPT`.

    Args:
        p: the parameter, an array that can be updated in place.
        g: its gradient, of the same shape; any float dtype and memory order.
        exp_avg, exp_avg_sq:
            the state, each array with the shape, dtype and memory order of p; before the first update,
            what the class starts from: zeros, unless it says otherwise.
        step: the number of updates done before this one; 0 at the first.
        lr, beta1, beta2, eps, weight_decay, use_clipping:
            as of the class, with its defaults. A schedule is evaluated at step.
        out: where the new parameter goes, an array like p, which is then only read; None: into p.
        rows: the numbers of the rows that g has values for, one after the other, as in `gradstep.Rows`: only
            these rows of p and of the state are read and written. None: g is the gradient of all of p.

    Raises:
        TypeError: an argument is of the wrong type, unknown or missing.
        ValueError: shapes or memory orders differ, memory overlaps, or a value is out of range.
    """

def dog(
    p: Floats,
    g: Floats | float,
    init_params: Floats,
    scalars: Floats,
    /,
    *,
    step: int,
    lr: Rate = 1.0,
    reps_rel: Rate = 1e-06,
    eps: Rate = 1e-08,
    weight_decay: Rate = 0.0,
    out: Floats | None = None,
    rows: Indices | None = None,
) -> None:
    """Update one array and its state in place, by the rule of `gradstep.DoG`.

    Args:
        p: the parameter, an array that can be updated in place.
        g: its gradient, of the same shape; any float dtype and memory order.
        init_params, scalars:
            the state, each array with the shape, dtype and memory order of p; before the first update,
            what the class starts from: zeros, unless it says otherwise.
            scalars, a float64 array with one axis, has what the attribute of the class has. At step 0 it
            is set to what the class starts from.
        step: the number of updates done before this one; 0 at the first.
        lr, reps_rel, eps, weight_decay:
            as of the class, with its defaults. A schedule is evaluated at step.
        out: where the new parameter goes, an array like p, which is then only read; None: into p.
        rows: the numbers of the rows that g has values for, one after the other, as in `gradstep.Rows`: only
            these rows of p and of the state are read and written. None: g is the gradient of all of p.

    Raises:
        TypeError: an argument is of the wrong type, unknown or missing.
        ValueError: shapes or memory orders differ, memory overlaps, or a value is out of range.
    """

def lamb(
    p: Floats,
    g: Floats | float,
    exp_avg: Floats,
    exp_avg_sq: Floats,
    /,
    *,
    step: int,
    lr: Rate = 0.001,
    beta1: Rate = 0.9,
    beta2: Rate = 0.999,
    eps: Rate = 1e-06,
    weight_decay: Rate = 0.0,
    out: Floats | None = None,
    rows: Indices | None = None,
) -> None:
    """Update one array and its state in place, by the rule of `gradstep.LAMB`.

    Args:
        p: the parameter, an array that can be updated in place.
        g: its gradient, of the same shape; any float dtype and memory order.
        exp_avg, exp_avg_sq:
            the state, each array with the shape, dtype and memory order of p; before the first update,
            what the class starts from: zeros, unless it says otherwise.
        step: the number of updates done before this one; 0 at the first.
        lr, beta1, beta2, eps, weight_decay:
            as of the class, with its defaults. A schedule is evaluated at step.
        out: where the new parameter goes, an array like p, which is then only read; None: into p.
        rows: the numbers of the rows that g has values for, one after the other, as in `gradstep.Rows`: only
            these rows of p and of the state are read and written. None: g is the gradient of all of p.

    Raises:
        TypeError: an argument is of the wrong type, unknown or missing.
        ValueError: shapes or memory orders differ, memory overlaps, or a value is out of range.
    """

def lars(
    p: Floats,
    g: Floats | float,
    momentum_buffer: Floats,
    /,
    *,
    step: int,
    lr: Rate = 0.1,
    momentum: Rate = 0.9,
    trust_coefficient: Rate = 0.001,
    eps: Rate = 0.0,
    weight_decay: Rate = 0.0,
    nesterov: bool = False,
    out: Floats | None = None,
    rows: Indices | None = None,
) -> None:
    """Update one array and its state in place, by the rule of `gradstep.LARS`.

    Args:
        p: the parameter, an array that can be updated in place.
        g: its gradient, of the same shape; any float dtype and memory order.
        momentum_buffer:
            the state, each array with the shape, dtype and memory order of p; before the first update,
            what the class starts from: zeros, unless it says otherwise.
        step: the number of updates done before this one; 0 at the first.
        lr, momentum, trust_coefficient, eps, weight_decay, nesterov:
            as of the class, with its defaults. A schedule is evaluated at step.
        out: where the new parameter goes, an array like p, which is then only read; None: into p.
        rows: the numbers of the rows that g has values for, one after the other, as in `gradstep.Rows`: only
            these rows of p and of the state are read and written. None: g is the gradient of all of p.

    Raises:
        TypeError: an argument is of the wrong type, unknown or missing.
        ValueError: shapes or memory orders differ, memory overlaps, or a value is out of range.
    """

def lion(
    p: Floats,
    g: Floats | float,
    exp_avg: Floats,
    /,
    *,
    step: int,
    lr: Rate = 0.0001,
    beta1: Rate = 0.9,
    beta2: Rate = 0.99,
    weight_decay: Rate = 0.0,
    out: Floats | None = None,
    rows: Indices | None = None,
) -> None:
    """Update one array and its state in place, by the rule of `gradstep.Lion`.

    Args:
        p: the parameter, an array that can be updated in place.
        g: its gradient, of the same shape; any float dtype and memory order.
        exp_avg:
            the state, each array with the shape, dtype and memory order of p; before the first update,
            what the class starts from: zeros, unless it says otherwise.
        step: the number of updates done before this one; 0 at the first.
        lr, beta1, beta2, weight_decay:
            as of the class, with its defaults. A schedule is evaluated at step.
        out: where the new parameter goes, an array like p, which is then only read; None: into p.
        rows: the numbers of the rows that g has values for, one after the other, as in `gradstep.Rows`: only
            these rows of p and of the state are read and written. None: g is the gradient of all of p.

    Raises:
        TypeError: an argument is of the wrong type, unknown or missing.
        ValueError: shapes or memory orders differ, memory overlaps, or a value is out of range.
    """

def nadam(
    p: Floats,
    g: Floats | float,
    exp_avg: Floats,
    exp_avg_sq: Floats,
    /,
    *,
    step: int,
    lr: Rate = 0.002,
    beta1: Rate = 0.9,
    beta2: Rate = 0.999,
    eps: Rate = 1e-08,
    momentum_decay: Rate = 0.004,
    weight_decay: Rate = 0.0,
    eps_hat: bool = False,
    eps_root: Rate = 0.0,
    bias_correction: bool = True,
    out: Floats | None = None,
    rows: Indices | None = None,
) -> None:
    """Update one array and its state in place, by the rule of `gradstep.NAdam`.

    Args:
        p: the parameter, an array that can be updated in place.
        g: its gradient, of the same shape; any float dtype and memory order.
        exp_avg, exp_avg_sq:
            the state, each array with the shape, dtype and memory order of p; before the first update,
            what the class starts from: zeros, unless it says otherwise.
        step: the number of updates done before this one; 0 at the first.
        lr, beta1, beta2, eps, momentum_decay, weight_decay, eps_hat, eps_root, bias_correction:
            as of the class, with its defaults. A schedule is evaluated at step.
        out: where the new parameter goes, an array like p, which is then only read; None: into p.
        rows: the numbers of the rows that g has values for, one after the other, as in `gradstep.Rows`: only
            these rows of p and of the state are read and written. None: g is the gradient of all of p.

    Raises:
        TypeError: an argument is of the wrong type, unknown or missing.
        ValueError: shapes or memory orders differ, memory overlaps, or a value is out of range.
    """

def prodigy(
    p: Floats,
    g: Floats | float,
    exp_avg: Floats,
    exp_avg_sq: Floats,
    s: Floats,
    p0: Floats,
    scalars: Floats,
    /,
    *,
    step: int,
    lr: Rate = 1.0,
    beta1: Rate = 0.9,
    beta2: Rate = 0.999,
    beta3: Rate | None = None,
    eps: Rate = 1e-08,
    d0: Rate = 1e-06,
    d_coef: Rate = 1.0,
    growth_rate: Rate = float("inf"),
    weight_decay: Rate = 0.0,
    safeguard_warmup: bool = False,
    use_bias_correction: bool = False,
    out: Floats | None = None,
    rows: Indices | None = None,
) -> None:
    """Update one array and its state in place, by the rule of `gradstep.Prodigy`.

    Args:
        p: the parameter, an array that can be updated in place.
        g: its gradient, of the same shape; any float dtype and memory order.
        exp_avg, exp_avg_sq, s, p0, scalars:
            the state, each array with the shape, dtype and memory order of p; before the first update,
            what the class starts from: zeros, unless it says otherwise.
            scalars, a float64 array with one axis, has what the attribute of the class has. At step 0 it
            is set to what the class starts from.
        step: the number of updates done before this one; 0 at the first.
        lr, beta1, beta2, beta3, eps, d0, d_coef, growth_rate, weight_decay, safeguard_warmup:
            as of the class, with its defaults. A schedule is evaluated at step.
        use_bias_correction:
            as of the class, with its defaults. A schedule is evaluated at step.
        out: where the new parameter goes, an array like p, which is then only read; None: into p.
        rows: the numbers of the rows that g has values for, one after the other, as in `gradstep.Rows`: only
            these rows of p and of the state are read and written. None: g is the gradient of all of p.

    Raises:
        TypeError: an argument is of the wrong type, unknown or missing.
        ValueError: shapes or memory orders differ, memory overlaps, or a value is out of range.
    """

def radam(
    p: Floats,
    g: Floats | float,
    exp_avg: Floats,
    exp_avg_sq: Floats,
    /,
    *,
    step: int,
    lr: Rate = 0.001,
    beta1: Rate = 0.9,
    beta2: Rate = 0.999,
    eps: Rate = 1e-08,
    weight_decay: Rate = 0.0,
    eps_hat: bool = True,
    eps_root: Rate = 0.0,
    out: Floats | None = None,
    rows: Indices | None = None,
) -> None:
    """Update one array and its state in place, by the rule of `gradstep.RAdam`.

    Args:
        p: the parameter, an array that can be updated in place.
        g: its gradient, of the same shape; any float dtype and memory order.
        exp_avg, exp_avg_sq:
            the state, each array with the shape, dtype and memory order of p; before the first update,
            what the class starts from: zeros, unless it says otherwise.
        step: the number of updates done before this one; 0 at the first.
        lr, beta1, beta2, eps, weight_decay, eps_hat, eps_root:
            as of the class, with its defaults. A schedule is evaluated at step.
        out: where the new parameter goes, an array like p, which is then only read; None: into p.
        rows: the numbers of the rows that g has values for, one after the other, as in `gradstep.Rows`: only
            these rows of p and of the state are read and written. None: g is the gradient of all of p.

    Raises:
        TypeError: an argument is of the wrong type, unknown or missing.
        ValueError: shapes or memory orders differ, memory overlaps, or a value is out of range.
    """

def rmsprop(
    p: Floats,
    g: Floats | float,
    square_avg: Floats,
    /,
    *more: Floats,
    step: int,
    lr: Rate = 0.01,
    alpha: Rate = 0.99,
    eps: Rate = 1e-08,
    weight_decay: Rate = 0.0,
    momentum: Rate = 0.0,
    centered: bool = False,
    momentum_form: str = "torch",
    eps_root: Rate = 0.0,
    initial_accumulator_value: Rate = 0.0,
    out: Floats | None = None,
    rows: Indices | None = None,
) -> None:
    """Update one array and its state in place, by the rule of `gradstep.RMSprop`.

    Args:
        p: the parameter, an array that can be updated in place.
        g: its gradient, of the same shape; any float dtype and memory order.
        square_avg, grad_avg, momentum_buffer:
            the state, each array with the shape, dtype and memory order of p; before the first update,
            what the class starts from: zeros, unless it says otherwise.
            Only with the options that want it: grad_avg, momentum_buffer.
        step: the number of updates done before this one; 0 at the first.
        lr, alpha, eps, weight_decay, momentum, centered, momentum_form, eps_root:
            as of the class, with its defaults. A schedule is evaluated at step.
        initial_accumulator_value:
            as of the class, with its defaults. A schedule is evaluated at step.
        out: where the new parameter goes, an array like p, which is then only read; None: into p.
        rows: the numbers of the rows that g has values for, one after the other, as in `gradstep.Rows`: only
            these rows of p and of the state are read and written. None: g is the gradient of all of p.

    Raises:
        TypeError: an argument is of the wrong type, unknown or missing.
        ValueError: shapes or memory orders differ, memory overlaps, or a value is out of range.
    """

def rprop(
    p: Floats,
    g: Floats | float,
    prev: Floats,
    step_size: Floats,
    /,
    *,
    step: int,
    lr: Rate = 0.01,
    eta_minus: Rate = 0.5,
    eta_plus: Rate = 1.2,
    step_min: Rate = 1e-06,
    step_max: Rate = 50.0,
    weight_decay: Rate = 0.0,
    out: Floats | None = None,
    rows: Indices | None = None,
) -> None:
    """Update one array and its state in place, by the rule of `gradstep.Rprop`.

    Args:
        p: the parameter, an array that can be updated in place.
        g: its gradient, of the same shape; any float dtype and memory order.
        prev, step_size:
            the state, each array with the shape, dtype and memory order of p; before the first update,
            what the class starts from: zeros, unless it says otherwise.
        step: the number of updates done before this one; 0 at the first.
        lr, eta_minus, eta_plus, step_min, step_max, weight_decay:
            as of the class, with its defaults. A schedule is evaluated at step.
        out: where the new parameter goes, an array like p, which is then only read; None: into p.
        rows: the numbers of the rows that g has values for, one after the other, as in `gradstep.Rows`: only
            these rows of p and of the state are read and written. None: g is the gradient of all of p.

    Raises:
        TypeError: an argument is of the wrong type, unknown or missing.
        ValueError: shapes or memory orders differ, memory overlaps, or a value is out of range.
    """

def schedulefreeadamw(
    p: Floats,
    g: Floats | float,
    z: Floats,
    exp_avg_sq: Floats,
    scalars: Floats,
    /,
    *,
    step: int,
    lr: Rate = 0.0025,
    beta1: Rate = 0.9,
    beta2: Rate = 0.999,
    eps: Rate = 1e-08,
    warmup_steps: Rate = 0,
    r: Rate = 0.0,
    weight_lr_power: Rate = 2.0,
    weight_decay: Rate = 0.0,
    out: Floats | None = None,
    rows: Indices | None = None,
) -> None:
    """Update one array and its state in place, by the rule of `gradstep.ScheduleFreeAdamW`.

    Args:
        p: the parameter, an array that can be updated in place.
        g: its gradient, of the same shape; any float dtype and memory order.
        z, exp_avg_sq, scalars:
            the state, each array with the shape, dtype and memory order of p; before the first update,
            what the class starts from: zeros, unless it says otherwise.
            scalars, a float64 array with one axis, has what the attribute of the class has. At step 0 it
            is set to what the class starts from.
        step: the number of updates done before this one; 0 at the first.
        lr, beta1, beta2, eps, warmup_steps, r, weight_lr_power, weight_decay:
            as of the class, with its defaults. A schedule is evaluated at step.
        out: where the new parameter goes, an array like p, which is then only read; None: into p.
        rows: the numbers of the rows that g has values for, one after the other, as in `gradstep.Rows`: only
            these rows of p and of the state are read and written. None: g is the gradient of all of p.

    Raises:
        TypeError: an argument is of the wrong type, unknown or missing.
        ValueError: shapes or memory orders differ, memory overlaps, or a value is out of range.
    """

def schedulefreesgd(
    p: Floats,
    g: Floats | float,
    z: Floats,
    scalars: Floats,
    /,
    *,
    step: int,
    lr: Rate = 1.0,
    momentum: Rate = 0.9,
    warmup_steps: Rate = 0,
    r: Rate = 0.0,
    weight_lr_power: Rate = 2.0,
    weight_decay: Rate = 0.0,
    out: Floats | None = None,
    rows: Indices | None = None,
) -> None:
    """Update one array and its state in place, by the rule of `gradstep.ScheduleFreeSGD`.

    Args:
        p: the parameter, an array that can be updated in place.
        g: its gradient, of the same shape; any float dtype and memory order.
        z, scalars:
            the state, each array with the shape, dtype and memory order of p; before the first update,
            what the class starts from: zeros, unless it says otherwise.
            scalars, a float64 array with one axis, has what the attribute of the class has. At step 0 it
            is set to what the class starts from.
        step: the number of updates done before this one; 0 at the first.
        lr, momentum, warmup_steps, r, weight_lr_power, weight_decay:
            as of the class, with its defaults. A schedule is evaluated at step.
        out: where the new parameter goes, an array like p, which is then only read; None: into p.
        rows: the numbers of the rows that g has values for, one after the other, as in `gradstep.Rows`: only
            these rows of p and of the state are read and written. None: g is the gradient of all of p.

    Raises:
        TypeError: an argument is of the wrong type, unknown or missing.
        ValueError: shapes or memory orders differ, memory overlaps, or a value is out of range.
    """

def sgd(
    p: Floats,
    g: Floats | float,
    momentum_buffer: Floats | None = None,
    /,
    *,
    step: int,
    lr: Rate = 0.001,
    momentum: Rate = 0.0,
    dampening: Rate = 0.0,
    weight_decay: Rate = 0.0,
    nesterov: bool = False,
    momentum_form: str = "torch",
    out: Floats | None = None,
    rows: Indices | None = None,
) -> None:
    """Update one array and its state in place, by the rule of `gradstep.SGD`.

    Args:
        p: the parameter, an array that can be updated in place.
        g: its gradient, of the same shape; any float dtype and memory order.
        momentum_buffer:
            the state, each array with the shape, dtype and memory order of p; before the first update,
            what the class starts from: zeros, unless it says otherwise.
            Only with the options that want it: momentum_buffer.
        step: the number of updates done before this one; 0 at the first.
        lr, momentum, dampening, weight_decay, nesterov, momentum_form:
            as of the class, with its defaults. A schedule is evaluated at step.
        out: where the new parameter goes, an array like p, which is then only read; None: into p.
        rows: the numbers of the rows that g has values for, one after the other, as in `gradstep.Rows`: only
            these rows of p and of the state are read and written. None: g is the gradient of all of p.

    Raises:
        TypeError: an argument is of the wrong type, unknown or missing.
        ValueError: shapes or memory orders differ, memory overlaps, or a value is out of range.
    """

def yogi(
    p: Floats,
    g: Floats | float,
    exp_avg: Floats,
    exp_avg_sq: Floats,
    /,
    *,
    step: int,
    lr: Rate = 0.01,
    beta1: Rate = 0.9,
    beta2: Rate = 0.999,
    eps: Rate = 0.001,
    initial_accumulator_value: Rate = 1e-06,
    weight_decay: Rate = 0.0,
    eps_hat: bool = False,
    eps_root: Rate = 0.0,
    bias_correction: bool = True,
    out: Floats | None = None,
    rows: Indices | None = None,
) -> None:
    """Update one array and its state in place, by the rule of `gradstep.Yogi`.

    Args:
        p: the parameter, an array that can be updated in place.
        g: its gradient, of the same shape; any float dtype and memory order.
        exp_avg, exp_avg_sq:
            the state, each array with the shape, dtype and memory order of p; before the first update,
            what the class starts from: zeros, unless it says otherwise.
        step: the number of updates done before this one; 0 at the first.
        lr, beta1, beta2, eps, initial_accumulator_value, weight_decay, eps_hat, eps_root:
            as of the class, with its defaults. A schedule is evaluated at step.
        bias_correction:
            as of the class, with its defaults. A schedule is evaluated at step.
        out: where the new parameter goes, an array like p, which is then only read; None: into p.
        rows: the numbers of the rows that g has values for, one after the other, as in `gradstep.Rows`: only
            these rows of p and of the state are read and written. None: g is the gradient of all of p.

    Raises:
        TypeError: an argument is of the wrong type, unknown or missing.
        ValueError: shapes or memory orders differ, memory overlaps, or a value is out of range.
    """
