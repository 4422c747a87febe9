using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.Conformance;

/// <summary>The recorded inputs of a published model, by the names of its arguments.</summary>
internal sealed class ModelInputs
{
    private readonly Dictionary<string, (double[] Values, Shape Shape)> tensors = [];

    /// <summary>The inputs "in.NAME" of a file.</summary>
    public static ModelInputs Read(SafetensorsFile file)
    {
        const string prefix = "in.";
        var inputs = new ModelInputs();
        foreach (var entry in file.Entries.Where(e => e.Name.StartsWith(prefix, StringComparison.Ordinal)))
            inputs.Add(entry.Name[prefix.Length..], file.ReadDoubles(entry.Name), entry.ToShape());
        return inputs;
    }

    public void Add(string name, double[] values, Shape shape) => tensors[name] = (values, shape);

    public bool Contains(string name) => tensors.ContainsKey(name);

    public Shape ShapeOf(string name) => tensors[name].Shape;

    public double[] Doubles(string name) => tensors[name].Values;

    public int[] Integers(string name) => Array.ConvertAll(tensors[name].Values, x => (int)x);

    public bool[] Flags(string name) => Array.ConvertAll(tensors[name].Values, x => x != 0);
}
