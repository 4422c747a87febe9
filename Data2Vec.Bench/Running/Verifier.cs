using Data2Vec.Bench.Cases;
using Data2Vec.Engine;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.Running;

/// <summary>
/// Parity of a device with the oracle: forward and every gradient of a case in float32 (or bfloat16) against float64 on
/// Reference from the same numbers, which the type holds exactly. Also: inference and training give the same bits, two runs give the same bits, the composite agrees
/// in double, a wrong output would have been noticed, and nothing is left in the device's memory.
/// </summary>
internal sealed class Verifier(Device device, Device oracle, DType type = DType.Float32)
{
    /// <summary>Operands are moved by this to see how much their rounding matters: half an ulp of float32, and up.</summary>
    private const double Step = 1.1920929e-7;

    public Row Verify(OpCase c)
    {
        try
        {
            return Compare(c);
        }
        catch (NotSupportedException e)
        {
            return new Row(c.Op, c.Name, Status.Skipped) { Reason = e.Message };
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return new Row(c.Op, c.Name, Status.Failed) { Reason = $"{e.GetType().Name}: {e.Message}" };
        }
    }

    /// <summary>A call that must be refused.</summary>
    public Row Verify(OpError error)
    {
        var before = device.OutstandingBuffers;
        var wrong = error.Check(device);
        if (wrong is null && device.OutstandingBuffers != before)
            wrong = $"the refusal left {device.OutstandingBuffers - before} buffers behind";
        return new Row(error.Op, "refused: " + error.Name, wrong is null ? Status.Passed : Status.Failed) { Reason = wrong };
    }

    private Row Compare(OpCase c)
    {
        if (type == DType.BFloat16 && c.RunRaw is not null)
            return new Row(c.Op, c.Name, Status.Skipped) { Reason = "the state of an optimiser is float32" };
        var values = Drawn(c);
        var before = device.OutstandingBuffers;
        var right = Outputs(c, oracle, DType.Float64, values, c.Run);
        var moved = Outputs(c, oracle, DType.Float64, Moved(c, values), c.Run);
        var actual = Outputs(c, device, type, values, c.Run);
        var problems = new List<string>();
        if (device.OutstandingBuffers != before) problems.Add($"{device.OutstandingBuffers - before} buffers were not given back");
        CheckBits(c, values, actual, problems);

        double worst = 0, noticed = double.PositiveInfinity;
        string? worstName = null;
        for (var i = 0; i < right.Count; i++)
        {
            // Sums are float32 whatever the storage is: in bfloat16 rounding the result outweighs what they lose.
            var terms = actual[i].Type == DType.BFloat16 ? 1 : c.ReductionLength;
            var tolerance = Tolerance.Of(right[i], moved[i], Step, actual[i].Type, terms, Seed(c, right, i));
            if (actual[i].Shape != right[i].Shape) problems.Add($"{right[i].Name} is {actual[i].Shape}, expected {right[i].Shape}");
            var error = Tolerance.Error(right[i].Values, actual[i].Values, tolerance);
            if (!(error <= worst)) (worst, worstName) = (error, right[i].Name);
            foreach (var wrong in WrongOutputs(right[i]))
                noticed = Math.Min(noticed, Tolerance.Error(right[i].Values, wrong, tolerance));
        }
        if (!(worst <= 1)) problems.Add($"{worstName} differs by {worst:0.##} times its tolerance");
        if (noticed <= 1 && type == DType.BFloat16 && problems.Count == 0)
        {
            return new Row(c.Op, c.Name, Status.Skipped)
            {
                Reason = "bfloat16 has too few digits for this case: a wrong output would not be noticed",
            };
        }
        if (noticed <= 1) problems.Add($"a wrong output would pass: its error is only {noticed:0.##} times the tolerance");
        foreach (var trial in Trial.Of(device, c, type)) worst = Math.Max(worst, Try(trial, c, values, right, moved, problems));
        if (c.Composite is not null) CheckComposite(c, values, right, moved, problems);
        return new Row(c.Op, c.Name, problems.Count == 0 ? Status.Passed : Status.Failed)
        {
            Error = worst,
            Worst = worstName,
            WrongError = double.IsInfinity(noticed) ? null : noticed,
            Reason = problems.Count == 0 ? null : string.Join("; ", problems),
        };
    }

    /// <summary>The case in another way; gives its largest error.</summary>
    private double Try(
        Trial trial, OpCase c, float[][] values, IReadOnlyList<Output> right, IReadOnlyList<Output> moved, List<string> problems)
    {
        var found = new List<string>();
        var actual = trial.Run(() =>
        {
            var outputs = Outputs(c, device, type, values, c.Run);
            CheckAgain(c, values, outputs, found);
            return outputs;
        });
        double worst = 0;
        for (var i = 0; i < right.Count; i++)
        {
            // As for bfloat16, rounding the operands outweighs what sums lose.
            var terms = actual[i].Type == DType.BFloat16 || trial.Epsilon is not null ? 1 : c.ReductionLength;
            var tolerance = Tolerance.Of(right[i], moved[i], Step, actual[i].Type, terms, Seed(c, right, i), trial.Epsilon);
            var error = Tolerance.Error(right[i].Values, actual[i].Values, tolerance);
            if (!(error <= 1)) found.Add($"{right[i].Name} differs by {error:0.##} times its tolerance");
            worst = Math.Max(worst, error);
        }
        problems.AddRange(found.Select(f => $"{trial.Name} {f}"));
        return worst;
    }

    /// <summary>Training and inference, and two runs, must agree in every bit.</summary>
    private void CheckBits(OpCase c, float[][] values, IReadOnlyList<Output> actual, List<string> problems)
    {
        using (var session = new CaseSession(c, device, type, values))
        {
            var inference = session.Forward();
            for (var i = 0; i < inference.Count; i++)
                if (!SameBits(inference[i], actual[i])) problems.Add($"{actual[i].Name} differs between inference and training");
        }
        CheckAgain(c, values, actual, problems);
    }

    private void CheckAgain(OpCase c, float[][] values, IReadOnlyList<Output> actual, List<string> problems)
    {
        var again = Outputs(c, device, type, values, c.Run);
        for (var i = 0; i < again.Count; i++)
            if (!SameBits(again[i], actual[i])) problems.Add($"{actual[i].Name} differs from run to run");
    }

    private void CheckComposite(
        OpCase c, float[][] values, IReadOnlyList<Output> right, IReadOnlyList<Output> moved, List<string> problems)
    {
        var composed = Outputs(c, oracle, DType.Float64, values, c.Composite);
        for (var i = 0; i < right.Count; i++)
        {
            var tolerance = Tolerance.Of(right[i], moved[i], Step, DType.Float64, c.ReductionLength, Seed(c, right, i));
            var error = Tolerance.Error(right[i].Values, composed[i].Values, tolerance);
            if (composed[i].Shape != right[i].Shape) problems.Add($"the composite gives {right[i].Name} {composed[i].Shape}, not {right[i].Shape}");
            if (!(error <= 1)) problems.Add($"the composite gives another {right[i].Name}: {error:0.##} times the tolerance in double");
        }
    }

    /// <summary>Largest entry of the gradient that an output was computed from.</summary>
    private static double Seed(OpCase c, IReadOnlyList<Output> outputs, int index) =>
        index == 0 || c.RunRaw is not null ? 0 : c.DrawSeed(outputs[0].Shape).Select(v => (double)MathF.Abs(v)).DefaultIfEmpty().Max();

    private static IReadOnlyList<Output> Outputs(OpCase c, Device on, DType type, float[][] values, Func<Operands, Tensor>? run)
    {
        using var session = new CaseSession(c, on, type, values);
        return c.IsDifferentiable ? session.ForwardAndBackward(run!) : session.Forward(run);
    }

    /// <summary>The numbers of every operand, rounded to the type.</summary>
    private float[][] Drawn(OpCase c)
    {
        var values = c.Draw();
        if (type != DType.BFloat16) return values;
        for (var i = 0; i < values.Length; i++)
        {
            if (c.Inputs[i].Type is null)
                values[i] = Array.ConvertAll(values[i], v => BFloat16.FromSingle(v).ToSingle());
        }
        return values;
    }

    /// <summary>Every number moved up or down in its last bits, where that keeps the meaning of the case.</summary>
    private static float[][] Moved(OpCase c, float[][] values)
    {
        var moved = new float[values.Length][];
        for (var i = 0; i < values.Length; i++)
        {
            moved[i] = values[i];
            if (!c.Inputs[i].MayBePerturbed) continue;
            var bits = new PhiloxStream(c.Key(0, 2000 + (uint)i));
            moved[i] = Array.ConvertAll(values[i], v => v * (1 + ((bits.NextUInt() & 1) == 0 ? (float)Step : -(float)Step)));
        }
        return moved;
    }

    /// <summary>What a broken kernel might give: zeros (ones where zeros are right), everything one row further.</summary>
    private static IEnumerable<double[]> WrongOutputs(Output right)
    {
        var n = right.Values.Length;
        if (n == 0) yield break;
        var zeros = new double[n];
        if (right.Values.All(v => v == 0)) Array.Fill(zeros, 1);
        yield return zeros;
        var row = right.Shape.Rank > 1 && right.Shape[-1] < n ? right.Shape[-1] : 1;
        var shifted = new double[n];
        for (var i = 0; i < n; i++) shifted[i] = right.Values[(i + row) % n];
        if (!shifted.SequenceEqual(right.Values)) yield return shifted;
    }

    private static bool SameBits(Output a, Output b)
    {
        if (a.Values.Length != b.Values.Length) return false;
        for (var i = 0; i < a.Values.Length; i++)
            if (!a.Values[i].Equals(b.Values[i])) return false;
        return true;
    }
}
