using System.Text.Json;
using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;
using Data2Vec.Models.Weights;

namespace Data2Vec.Bench.Conformance;

/// <summary>A recorded run of some updates: what every such case does, whatever code was recorded.</summary>
internal abstract class RecordedRun(Device device, DType type) : IDisposable
{
    private readonly HashSet<string> withoutGradient = [];
    private readonly HashSet<(SafetensorsFile File, string Name)> compared = [];
    private double ratesSoFar;

    protected Device Device => device;

    protected DType Type => type;

    protected StepState Step { get; } = new(device);

    protected List<Difference> Differences { get; } = [];

    public virtual void Dispose() => Step.Dispose();

    /// <summary>Compares with a recorded tensor, if it was recorded.</summary>
    protected void Add(SafetensorsFile file, string name, Tensor got, Tolerance tolerance)
    {
        if (file.Contains(name)) Add(file, name, got.ToDoubles(), tolerance);
    }

    /// <summary>Compares with a recorded tensor.</summary>
    protected void Add(SafetensorsFile file, string name, double[] got, Tolerance tolerance)
    {
        compared.Add((file, name));
        Differences.Add(Comparison.Compare(name, got, file.ReadDoubles(name), tolerance));
    }

    /// <summary>A recorded tensor that was compared with nothing is a difference.</summary>
    protected void Whole(SafetensorsFile file, string prefix)
    {
        Differences.AddRange(
            from entry in file.Entries
            where entry.Name.StartsWith(prefix, StringComparison.Ordinal) && !compared.Contains((file, entry.Name))
            select new Difference(entry.Name, double.PositiveInfinity, 0, "is recorded and not computed"));
    }

    protected void Number(string name, double got, double expected, Tolerance tolerance) =>
        Differences.Add(Comparison.Compare(name, got, expected, tolerance));

    protected void Number(string name, double got, JsonElement expected, Tolerance tolerance) =>
        Number(name, got, expected.GetDouble(), tolerance);

    /// <summary>
    /// float32 is measured by the published float32 run; <paramref name="measured"/> is how far that was from float64.
    /// </summary>
    protected Tolerance Of(double measured) => type == DType.Float64
        ? new(Tolerance.Double)
        : new(Math.Max(Tolerance.Single, Tolerance.Factor * measured));

    /// <summary>Gradients divided by the rows; one that is 0 by theory is compared by the largest of all.</summary>
    protected void Gradients(
        SafetensorsFile file, PublishedParameters parameters, IEnumerable<(string Published, string Recorded)> recorded,
        double divisor, Tolerance tolerance)
    {
        var all = recorded.ToList();
        var largest = all.Max(r => Comparison.Largest(file.ReadDoubles(r.Recorded)));
        foreach (var (published, name) in all)
        {
            var expected = file.ReadDoubles(name);
            if (Tolerance.IsZero(expected, largest)) withoutGradient.Add(published);
            var got = Array.ConvertAll(parameters.Read(ParameterPart.Gradient, published), g => g / divisor);
            Add(file, name, got, tolerance.ForGradient(expected, largest, type));
        }
    }

    /// <summary>Update and average; the step values are set.</summary>
    protected void Move(ParameterStore store, AdamOptions adam)
    {
        store.UpdateWithTeacher(adam, Step);
        ratesSoFar += Step.Values.LearningRate;
    }

    /// <summary>
    /// Adam makes steps of about the learning rate out of any gradient, also of rounding noise where the gradient is 0
    /// by theory: such a parameter may differ by twice the rates so far in float32. In float64 the noise stays below
    /// eps.
    /// </summary>
    protected Tolerance OfParameter(string published, Tolerance tolerance) =>
        type != DType.Float64 && withoutGradient.Contains(published)
            ? new(Math.Max(tolerance.Relative, 2 * ratesSoFar), Floor: 1)
            : tolerance;
}
