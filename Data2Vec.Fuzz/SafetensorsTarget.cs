using System.Buffers.Binary;
using System.Text;
using Data2Vec.Engine.Serialization;

namespace Data2Vec.Fuzz;

/// <summary>Safetensors: the header, and every tensor in each way that it can be read.</summary>
internal static class SafetensorsTarget
{
    /// <summary>The target.</summary>
    public static FuzzTarget Create() => new("safetensors",
    [
        new("safetensors", typeof(SafetensorsException), Read) { PerByte = 96 },
    ])
    {
        Fixtures = [("ops/opinfo", ".safetensors"), ("ops/own", ".safetensors")],
        OwnSeeds =
        [
            File("{}", 0),
            File("""{"__metadata__":{"format":"pt"}}""", 0),
            File("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8),
            File("""{"a":{"dtype":"BOOL","shape":[2,0],"data_offsets":[0,0]}}""", 0),
            File("""{"b":{"dtype":"U64","shape":[],"data_offsets":[0,8]}}  """, 8),
            File("""{"a\u00e9":{"dtype":"BF16","shape":[1,3],"data_offsets":[0,6]}}""", 6),
            File("""{"x":{"dtype":"I8","shape":[2],"data_offsets":[0,2]}}""", 2),
        ],
        Words = [.. Enum.GetValues<SafetensorsType>().Select(t => $"\"{t.Name()}\""), "\"dtype\":", "\"shape\":",
            "\"data_offsets\":", "\"__metadata__\":", "{\"format\":\"pt\"}", "[0,0]", "[]", "\\u0061", "\\uD800",
            "9223372036854775807", "18446744073709551616", "4294967296", "{\"a\":", "},", "null", "-0", "1e0"],
    };

    private static void Read(byte[] bytes)
    {
        using var file = SafetensorsFile.FromBytes(bytes, "f");
        foreach (var entry in file.Entries)
        {
            file.ReadDoubles(entry.Name);
            switch (entry.Type)
            {
                case SafetensorsType.F64 or SafetensorsType.F32 or SafetensorsType.F16 or SafetensorsType.BF16:
                    file.ReadSingles(entry.Name);
                    break;
                case SafetensorsType.Bool:
                    file.Read<bool>(entry.Name);
                    break;
                default:
                    file.ReadIntegers(entry.Name);
                    break;
            }
            entry.ToShape();
        }
    }

    private static byte[] File(string header, int dataLength)
    {
        var text = Encoding.UTF8.GetBytes(header);
        var bytes = new byte[8 + text.Length + dataLength];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, text.Length);
        text.CopyTo(bytes, 8);
        return bytes;
    }
}
