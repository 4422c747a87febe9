using Data2Vec.Kernels;

namespace Data2Vec.Engine;

/// <summary>One input of a gradient check: values and shape, and whether its gradient is checked.</summary>
/// <param name="Values">Row-major.</param>
/// <param name="Shape">Its extents.</param>
/// <param name="Differentiable">False for an input that only takes part.</param>
public sealed record GradCheckInput(double[] Values, Shape Shape, bool Differentiable = true);

/// <summary>What a gradient check found.</summary>
/// <param name="Checked">Derivatives compared (entries of the Jacobian-vector products).</param>
/// <param name="WorstError">Largest |numeric - analytic| / max(1, |numeric|, |analytic|).</param>
/// <param name="WorstInput">Input of the worst entry; -1 when nothing was compared.</param>
/// <param name="WorstIndex">Its element.</param>
/// <param name="Numeric">Finite difference there.</param>
/// <param name="Analytic">Tape gradient there.</param>
/// <param name="Kinks">Entries left out because the slopes on both sides differ: the function has a kink there.</param>
/// <param name="DirectionError">
/// The same error along one random direction through all entries of all inputs at once, except those found to be kinks.
/// </param>
public sealed record GradCheckReport(
    int Checked, double WorstError, int WorstInput, long WorstIndex, double Numeric, double Analytic, int Kinks,
    double DirectionError)
{
    /// <summary>Both errors within the bound, and something was compared.</summary>
    public bool Passes(double tolerance = 1e-6) =>
        Checked > 0 && WorstError <= tolerance && DirectionError <= tolerance;
}

/// <summary>
/// Compares a function's tape gradient with central finite differences in double precision. The function runs on a
/// Reference device with float64 tensors; its output may have any shape (the check uses sum(cotangent * output) with a
/// fixed random cotangent). Float32 is refused: its finite differences measure rounding, not derivatives.
/// </summary>
public static class GradCheck
{
    private const double Step = 1e-5;

    /// <summary>Checks every entry of inputs up to <paramref name="entriesPerInput"/>, and one random direction.</summary>
    /// <param name="device">A Reference device.</param>
    /// <param name="function">From tensors (float64, in the order of the inputs) to one tensor.</param>
    /// <param name="inputs">Where to check.</param>
    /// <param name="entriesPerInput">Larger inputs are checked at this many evenly spread entries.</param>
    /// <param name="seed">Of the cotangent and the direction.</param>
    /// <exception cref="NotSupportedException">The device has no float64, or the function's result is not float64.</exception>
    /// <exception cref="InvalidOperationException">The result depends on no differentiable input.</exception>
    public static GradCheckReport Run(
        Device device, Func<Tensor[], Tensor> function, IReadOnlyList<GradCheckInput> inputs,
        int entriesPerInput = 64, ulong seed = 1)
    {
        if (!device.Backend.Supports(DType.Float64))
            throw new NotSupportedException($"GradCheck needs float64, which {device} does not have; use a Reference device.");
        var values = inputs.Select(i => (double[])i.Values.Clone()).ToArray();
        var (cotangent, gradients) = Analytic(device, function, inputs, values, seed);

        var kinks = values.Select(v => new bool[v.Length]).ToArray();
        var report = new GradCheckReport(0, 0, -1, -1, 0, 0, 0, 0);
        for (var input = 0; input < inputs.Count; input++)
        {
            if (!inputs[input].Differentiable) continue;
            long count = values[input].Length;
            var stride = Math.Max(1, count / entriesPerInput);
            for (long i = 0; i < count; i += stride)
            {
                var x = values[input][i];
                var h = Step * Math.Max(1, Math.Abs(x));
                double At(double delta)
                {
                    values[input][i] = x + delta;
                    var f = Evaluate(device, function, inputs, values, cotangent);
                    values[input][i] = x;
                    return f;
                }
                var (low, middle, high) = (At(-h), At(0), At(h));
                var (left, right) = ((middle - low) / h, (high - middle) / h);
                // Fourth-order central difference: truncation h^4, so that 1e-6 means the derivative and not the step.
                var numeric = (8 * (high - low) - (At(2 * h) - At(-2 * h))) / (12 * h);
                if (Math.Abs(left - right) > 1e-2 * Math.Max(1, Math.Max(Math.Abs(left), Math.Abs(right))))
                {
                    report = report with { Kinks = report.Kinks + 1 };
                    kinks[input][i] = true;
                    continue;
                }
                var error = Relative(numeric, gradients[input][i]);
                report = report with { Checked = report.Checked + 1 };
                if (error > report.WorstError || double.IsNaN(error) || report.WorstInput < 0)
                {
                    report = report with
                    {
                        WorstError = double.IsNaN(error) ? double.PositiveInfinity : error,
                        WorstInput = input, WorstIndex = i, Numeric = numeric, Analytic = gradients[input][i],
                    };
                }
            }
        }
        return report with
        {
            DirectionError = Direction(device, function, inputs, values, kinks, cotangent, gradients, seed),
        };
    }

    private static double Direction(
        Device device, Func<Tensor[], Tensor> function, IReadOnlyList<GradCheckInput> inputs, double[][] values,
        bool[][] kinks, double[] cotangent, double[][] gradients, ulong seed)
    {
        var stream = new PhiloxStream(new RandomKey(seed, 0, 0, 2));
        var directions = new double[values.Length][];
        double analytic = 0;
        for (var input = 0; input < values.Length; input++)
        {
            directions[input] = new double[values[input].Length];
            if (!inputs[input].Differentiable) continue;
            for (var i = 0; i < directions[input].Length; i++)
            {
                var normal = stream.NextNormal() / Math.Sqrt(directions[input].Length);
                directions[input][i] = kinks[input][i] ? 0 : normal;
                analytic += directions[input][i] * gradients[input][i];
            }
        }
        double At(double t)
        {
            var moved = values.Select((v, k) => v.Select((x, i) => x + t * directions[k][i]).ToArray()).ToArray();
            return Evaluate(device, function, inputs, moved, cotangent);
        }
        var numeric = (8 * (At(Step) - At(-Step)) - (At(2 * Step) - At(-2 * Step))) / (12 * Step);
        return Relative(numeric, analytic);
    }

    private static double Relative(double numeric, double analytic) =>
        Math.Abs(numeric - analytic) / Math.Max(1, Math.Max(Math.Abs(numeric), Math.Abs(analytic)));

    private static (double[] Cotangent, double[][] Gradients) Analytic(
        Device device, Func<Tensor[], Tensor> function, IReadOnlyList<GradCheckInput> inputs, double[][] values, ulong seed)
    {
        using var scope = device.Scope();
        using var tape = new Tape(device);
        var tensors = new Tensor[inputs.Count];
        for (var i = 0; i < tensors.Length; i++)
        {
            var t = Tensor.From<double>(device, values[i], inputs[i].Shape);
            tensors[i] = inputs[i].Differentiable ? tape.Watch(t) : t;
        }
        var output = function(tensors);
        if (output.DType != DType.Float64)
        {
            throw new NotSupportedException($"GradCheck: the function gives {output}, not float64; finite differences of "
                + "less precise numbers measure their rounding.");
        }
        var stream = new PhiloxStream(new RandomKey(seed, 0, 0, 1));
        var cotangent = new double[output.Count];
        for (var i = 0; i < cotangent.Length; i++) cotangent[i] = stream.NextNormal();
        if (!output.IsTracked)
            throw new InvalidOperationException($"GradCheck: {output} does not depend on any differentiable input.");
        tape.Backward(output, Tensor.From<double>(device, cotangent, output.Shape));
        var gradients = new double[inputs.Count][];
        for (var i = 0; i < tensors.Length; i++)
        {
            gradients[i] = inputs[i].Differentiable && tape.Gradient(tensors[i]) is { } g
                ? g.ToDoubles()
                : new double[values[i].Length];
        }
        return (cotangent, gradients);
    }

    private static double Evaluate(
        Device device, Func<Tensor[], Tensor> function, IReadOnlyList<GradCheckInput> inputs, double[][] values,
        double[] cotangent)
    {
        using var scope = device.Scope();
        var tensors = new Tensor[inputs.Count];
        for (var i = 0; i < tensors.Length; i++) tensors[i] = Tensor.From<double>(device, values[i], inputs[i].Shape);
        var output = function(tensors).ToDoubles();
        double sum = 0;
        for (var i = 0; i < output.Length; i++) sum += output[i] * cotangent[i];
        return sum;
    }
}
