using System.Numerics;
using System.Runtime.InteropServices;

namespace Data2Vec.Models.Evaluation;

/// <summary>Limited-memory BFGS with a bisection line search for the weak Wolfe conditions.</summary>
/// <remarks>
/// Nocedal and Wright, Numerical Optimization, 2nd edition, algorithm 7.4; at the precision of the function the
/// approximate Wolfe conditions of Hager and Zhang (2005), which use slopes only.
/// </remarks>
internal static class Lbfgs
{
    private const int Memory = 10;
    private const int MostTrials = 25;
    private const double Decrease = 1e-4;
    private const double Curvature = 0.9;

    // Relative; functions here sum float32 products.
    private const double ValuePrecision = 2e-7;

    /// <summary>Value of the function at a point; writes the gradient there.</summary>
    public delegate double Function(double[] point, double[] gradient);

    /// <summary>How a minimisation ended.</summary>
    /// <param name="Iterations">Steps taken.</param>
    /// <param name="Gradient">Largest absolute entry of the gradient at the end.</param>
    public readonly record struct Outcome(int Iterations, double Gradient);

    /// <summary>Moves the point downhill until no entry of the gradient exceeds the tolerance.</summary>
    public static Outcome Minimise(Function function, double[] point, double tolerance, int mostIterations)
    {
        var gradient = new double[point.Length];
        var value = function(point, gradient);
        var history = new LinkedList<(double[] Step, double[] Change, double Inverse)>();
        var (trial, trialGradient) = (new double[point.Length], new double[point.Length]);
        var iteration = 0;
        for (; iteration < mostIterations && Largest(gradient) > tolerance; iteration++)
        {
            var direction = Direction(gradient, history);
            var slope = Dot(direction, gradient);
            var length = history.Count == 0 ? Math.Min(1, 1 / Math.Sqrt(Dot(gradient, gradient))) : 1;
            var (low, high, best) = (0.0, double.PositiveInfinity, double.NaN);
            for (var tries = 0; tries < MostTrials; tries++)
            {
                for (var i = 0; i < point.Length; i++) trial[i] = point[i] + length * direction[i];
                var here = function(trial, trialGradient);
                var slopeHere = Dot(direction, trialGradient);
                // Close to the end the value is flat to its own precision, and the slope alone can tell.
                var lower = here <= value + Decrease * length * slope
                    || (here <= value + ValuePrecision * Math.Abs(value) && slopeHere <= (2 * Decrease - 1) * slope);
                if (!lower) high = length;
                else
                {
                    best = here;
                    if (slopeHere >= Curvature * slope) break;
                    low = length;
                }
                length = double.IsInfinity(high) ? 2 * length : (low + high) / 2;
                if (tries == MostTrials - 1) best = double.NaN;
            }
            // No decrease left at the precision of the function.
            if (double.IsNaN(best)) break;
            Remember(history, point, trial, gradient, trialGradient);
            value = best;
            trial.CopyTo(point, 0);
            trialGradient.CopyTo(gradient, 0);
        }
        return new Outcome(iteration, Largest(gradient));
    }

    private static double[] Direction(
        double[] gradient, LinkedList<(double[] Step, double[] Change, double Inverse)> history)
    {
        var direction = Array.ConvertAll(gradient, g => -g);
        var factors = new Stack<double>();
        for (var node = history.Last; node is not null; node = node.Previous)
        {
            var factor = node.Value.Inverse * Dot(node.Value.Step, direction);
            factors.Push(factor);
            AddScaled(direction, -factor, node.Value.Change);
        }
        if (history.Last is { Value: var (_, lastChange, lastInverse) })
        {
            var scale = 1 / (lastInverse * Dot(lastChange, lastChange));
            for (var i = 0; i < direction.Length; i++) direction[i] *= scale;
        }
        for (var node = history.First; node is not null; node = node.Next)
        {
            var (step, change, inverse) = node.Value;
            AddScaled(direction, factors.Pop() - inverse * Dot(change, direction), step);
        }
        return direction;
    }

    private static void Remember(
        LinkedList<(double[] Step, double[] Change, double Inverse)> history, double[] from, double[] to,
        double[] gradientFrom, double[] gradientTo)
    {
        var step = new double[from.Length];
        var change = new double[from.Length];
        for (var i = 0; i < from.Length; i++)
            (step[i], change[i]) = (to[i] - from[i], gradientTo[i] - gradientFrom[i]);
        var product = Dot(step, change);
        if (product <= 1e-12 * Dot(change, change)) return;
        if (history.Count == Memory) history.RemoveFirst();
        history.AddLast((step, change, 1 / product));
    }

    private static void AddScaled(double[] target, double factor, double[] source)
    {
        var to = MemoryMarshal.Cast<double, Vector<double>>(target.AsSpan());
        var from = MemoryMarshal.Cast<double, Vector<double>>(source);
        for (var i = 0; i < to.Length; i++) to[i] += factor * from[i];
        for (var i = to.Length * Vector<double>.Count; i < target.Length; i++) target[i] += factor * source[i];
    }

    private static double Dot(double[] a, double[] b)
    {
        var left = MemoryMarshal.Cast<double, Vector<double>>(a);
        var right = MemoryMarshal.Cast<double, Vector<double>>(b);
        var sums = Vector<double>.Zero;
        for (var i = 0; i < left.Length; i++) sums += left[i] * right[i];
        var sum = Vector.Sum(sums);
        for (var i = left.Length * Vector<double>.Count; i < a.Length; i++) sum += a[i] * b[i];
        return sum;
    }

    private static double Largest(double[] values)
    {
        var largest = 0.0;
        foreach (var value in values) largest = Math.Max(largest, Math.Abs(value));
        return largest;
    }
}
