using Data2Vec.Engine;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;

namespace Data2Vec.Bench.Conformance;

/// <summary>The safetensors files of a suite's folder, opened once each.</summary>
internal sealed class RecordedTensors(string folder) : IDisposable
{
    private readonly Dictionary<string, SafetensorsFile> files = [];

    public SafetensorsFile this[string file]
    {
        get
        {
            if (!files.TryGetValue(file, out var open))
                files[file] = open = SafetensorsFile.Open(Path.Combine(folder, file));
            return open;
        }
    }

    /// <summary>
    /// A recorded tensor on a device: floating point in <paramref name="type"/>, integers and booleans as they are.
    /// </summary>
    public static Tensor Load(Device device, DType type, SafetensorsFile file, string name)
    {
        var entry = file[name];
        var shape = entry.ToShape();
        return entry.Type switch
        {
            SafetensorsType.I32 => Tensor.From<int>(device, file.Read<int>(name), shape),
            SafetensorsType.I64 => Tensor.From<long>(device, file.Read<long>(name), shape),
            SafetensorsType.Bool or SafetensorsType.U8 =>
                Tensor.From<bool>(device, Array.ConvertAll(file.ReadDoubles(name), x => x != 0), shape),
            _ => Tensor.FromDoubles(device, file.ReadDoubles(name), shape, type),
        };
    }

    public void Dispose()
    {
        foreach (var file in files.Values) file.Dispose();
        files.Clear();
    }
}
