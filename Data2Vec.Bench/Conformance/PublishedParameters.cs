using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Models;

namespace Data2Vec.Bench.Conformance;

/// <summary>The parameters of a text model by their published names: slices of ours.</summary>
internal sealed class PublishedParameters
{
    private readonly ParameterStore store;
    private readonly Dictionary<string, WeightSlice> slices;

    public PublishedParameters(ParameterStore store, TextEncoderConfig config)
    {
        this.store = store;
        slices = PublishedText.Names(config).ToDictionary(s => s.Published);
        foreach (var parameter in store.Parameters.Where(p => p.Name.StartsWith("head.", StringComparison.Ordinal)))
            slices[$"regression_{parameter.Name}"] = new($"regression_{parameter.Name}", parameter.Name);
    }

    public IEnumerable<string> Names => slices.Keys;

    public bool Contains(string published) => slices.ContainsKey(published);

    /// <summary>True when the teacher has its own values.</summary>
    public bool HasTeacherValue(string published) => store.HasTeacherValue(store.NumberOf(Slice(published).Parameter));

    public double[] Read(ParameterPart part, string published)
    {
        var (number, start, length) = Place(published);
        if (part == ParameterPart.Gradient && !store.HasGradient(number)) return new double[length];
        return store.Read(part, number).AsSpan(start, length).ToArray();
    }

    public void Write(ParameterPart part, string published, double[] values)
    {
        var (number, start, length) = Place(published);
        if (values.Length != length)
            throw new InvalidDataException($"{published} has {length} numbers; {values.Length} are recorded.");
        var all = store.Read(part, number);
        values.CopyTo(all, start);
        store.Write(part, number, all);
    }

    private WeightSlice Slice(string published) => slices.TryGetValue(published, out var slice)
        ? slice
        : throw new NotExpressibleException($"the model has no parameter {published}");

    private (int Number, int Start, int Length) Place(string published)
    {
        var slice = Slice(published);
        var number = store.NumberOf(slice.Parameter);
        var shape = store.Parameters[number].Shape;
        if (slice.Rows == 0) return (number, 0, (int)shape.Count);
        var columns = (int)(shape.Count / shape[0]);
        return (number, slice.FirstRow * columns, slice.Rows * columns);
    }
}
