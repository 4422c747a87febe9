using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Data2Vec.Engine;
using Data2Vec.Kernels;
using Data2Vec.Models.Weights;

namespace Data2Vec.Bench.Conformance;

/// <summary>
/// Numbers from a formula, for models too large to be stored: u(name, i) in [-1, 1) from the upper 24 bits of a mix of
/// FNV-1a-64 of the name and i; a value is float32(center + scale * u). Source: the README of the models suite.
/// </summary>
internal sealed class FormulaValues(string salt)
{
    private const double Half = 1 << 23;

    /// <summary>The upper 24 bits at <paramref name="index"/> of a name.</summary>
    public uint Draw(string name, long index)
    {
        var z = Hash(name) + (ulong)index + 0x9e3779b97f4a7c15UL;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9UL;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebUL;
        return (uint)((z ^ (z >> 31)) >> 40);
    }

    /// <summary>The first <paramref name="count"/> values of a name.</summary>
    public double[] Values(string name, long count, double center, double scale)
    {
        var values = new double[count];
        var hash = Hash(name);
        Parallel.For(0, (int)((count + 65535) / 65536), part =>
        {
            for (var i = part * 65536L; i < Math.Min(count, (part + 1) * 65536L); i++)
            {
                var z = hash + (ulong)i + 0x9e3779b97f4a7c15UL;
                z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9UL;
                z = (z ^ (z >> 27)) * 0x94d049bb133111ebUL;
                values[i] = (float)(center + scale * (((z ^ (z >> 31)) >> 40) / Half - 1));
            }
        });
        return values;
    }

    /// <summary>Fills every published tensor by the first rule whose pattern is found in its name.</summary>
    public void Fill(PublishedParameters parameters, JsonElement rules)
    {
        var patterns = rules.EnumerateArray().Select(r => (Pattern: new Regex(r.GetProperty("pattern").GetString()!),
            Center: r.GetProperty("center").GetDouble(), Scale: r.GetProperty("scale").GetDouble())).ToList();
        foreach (var name in parameters.Names)
        {
            var (_, center, scale) = patterns.First(p => p.Pattern.IsMatch(name));
            parameters.Write(
                ParameterPart.Student, name, Values(name, parameters.ShapeOf(name).Count, center, scale));
        }
    }

    /// <summary>The inputs of a record: waveform, pixels or ids by formula, the rest as it is stored.</summary>
    public ModelInputs Inputs(JsonElement record)
    {
        var inputs = new ModelInputs();
        foreach (var item in record.GetProperty("inputs").EnumerateObject())
        {
            var shape = new Shape([.. item.Value.GetProperty("shape").EnumerateArray().Select(d => d.GetInt32())]);
            double[] values = [.. item.Value.GetProperty("values").EnumerateArray().Select(v => v.GetDouble())];
            double Scale(string kind) => record.GetProperty("input_scale").GetProperty(kind).GetDouble();
            inputs.Add(item.Name, item.Name switch
            {
                "input_values" => Padded(Values("input.waveform", shape.Count, 0, Scale("waveform")), record, shape),
                "pixel_values" => Values("input.pixels", shape.Count, 0, Scale("pixels")),
                "attention_mask" when values.Length < shape.Count =>
                    Padded([.. Enumerable.Repeat(1.0, (int)shape.Count)], record, shape),
                _ => values.Length == shape.Count ? values
                    : throw new NotExpressibleException($"{item.Name} is stored in part and has no formula"),
            }, shape);
        }
        return inputs;
    }

    /// <summary>Zero behind the samples of each row.</summary>
    private static double[] Padded(double[] values, JsonElement record, Shape shape)
    {
        var samples = record.GetProperty("item").GetProperty("samples");
        for (var b = 0; b < shape[0]; b++)
        {
            var length = samples[b].GetInt32();
            values.AsSpan(b * shape[1] + length, shape[1] - length).Clear();
        }
        return values;
    }

    private ulong Hash(string name)
    {
        var hash = 0xcbf29ce484222325UL;
        foreach (var b in Encoding.UTF8.GetBytes(salt + name)) hash = (hash ^ b) * 0x100000001b3UL;
        return hash;
    }
}
