using Data2Vec.Bench.Cases;
using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.Running;

/// <summary>
/// The derivatives of a case against central finite differences in double on Reference, by the engine's public
/// <see cref="GradCheck"/>: every entry of small operands, evenly spread entries of large ones, and a random direction.
/// </summary>
internal static class GradientProof
{
    /// <summary>Largest relative error of a derivative of a smooth function.</summary>
    private const double Bound = 1e-6;

    public static Row Prove(Device reference, OpCase c)
    {
        if (SkipReason(c) is { } reason) return new Row(c.Op, c.Name, Status.Skipped) { Reason = reason };
        var values = c.Draw();
        var inputs = c.Inputs
            .Select((x, i) => new GradCheckInput(Array.ConvertAll(values[i], v => (double)v), x.Shape, x.IsDifferentiable)).ToArray();
        var raw = new List<Operands>();
        try
        {
            Tensor Function(Tensor[] tensors)
            {
                var operands = new Operands(reference, DType.Float64, Typed(c, tensors), values);
                raw.Add(operands);
                return c.Run!(operands);
            }
            var report = GradCheck.Run(reference, Function, inputs, Entries(c));
            var error = Math.Max(report.WorstError, report.DirectionError);
            return new Row(c.Op, c.Name, report.Passes(Bound) ? Status.Passed : Status.Failed)
            {
                Error = error / Bound,
                Derivatives = report.Checked,
                Kinks = report.Kinks == 0 ? null : report.Kinks,
                Worst = report.WorstInput < 0 ? null : $"d{c.Inputs[report.WorstInput].Name}[{report.WorstIndex}]",
                Reason = report.Passes(Bound) ? null
                    : report.Checked == 0 ? "no derivative could be compared"
                    : $"finite difference {report.Numeric:R}, derivative {report.Analytic:R}, direction {report.DirectionError:0.0e0}",
            };
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return new Row(c.Op, c.Name, Status.Failed) { Reason = $"{e.GetType().Name}: {e.Message}" };
        }
        finally
        {
            foreach (var operands in raw) operands.Dispose();
        }
    }

    /// <summary>Entries per operand: all of small operands; fewer where each takes five runs of an expensive call.</summary>
    private static int Entries(OpCase c) => (c.Inputs.Sum(x => x.Shape.Count) + c.Flops / 2) switch
    {
        < 3000 => 64,
        < 20000 => 16,
        < 100000 => 4,
        _ => 2,
    };

    /// <summary>Why a case is not for finite differences; null when it is.</summary>
    public static string? SkipReason(OpCase c)
    {
        if (Catalogue.NoDerivativeProof.TryGetValue(c.Op, out var why)) return why;
        if (c.NoGradientProof is not null) return c.NoGradientProof;
        if (!c.IsDifferentiable) return "no operand has a gradient";
        return c.Inputs.All(x => !x.IsDifferentiable || x.Shape.Count == 0) ? "its operands have no elements" : null;
    }

    /// <summary>The checker gives every operand in double; indices and masks go back to their own types.</summary>
    private static Tensor[] Typed(OpCase c, Tensor[] tensors) =>
        [.. tensors.Select((t, i) => c.Inputs[i].Type is { } type ? Ops.Cast(t, type) : t)];
}
