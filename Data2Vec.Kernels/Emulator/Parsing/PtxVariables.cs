using System.Buffers.Binary;

namespace Data2Vec.Kernels.Emulator;

/// <summary>Reads declarations of variables and parameters. Source: PTX ISA 8.4, section 5.</summary>
internal static class PtxVariables
{
    /// <summary>".shared .align 16 .b8 name[128];" and the like, with contents and several names.</summary>
    public static IEnumerable<PtxVariable> Read(PtxReader reader)
    {
        var list = new List<PtxVariable>();
        var space = Space(reader.Word());
        var (align, size, count) = Type(reader);
        do
        {
            list.Add(Named(reader, space, align, size * count));
        }
        while (reader.Take(','));
        reader.Expect(';');
        return list;
    }

    /// <summary>".param .align 8 .b8 name[616]".</summary>
    public static PtxVariable Parameter(PtxReader reader)
    {
        if (reader.Word() != ".param") throw reader.Unexpected(".param");
        var (align, size, count) = Type(reader);
        return Named(reader, PtxSpace.Param, align, size * count);
    }

    /// <summary>Bytes of a type such as ".f32"; 0 if it is none.</summary>
    public static int SizeOf(string type) => type switch
    {
        ".b8" or ".u8" or ".s8" => 1,
        ".b16" or ".u16" or ".s16" or ".f16" or ".bf16" => 2,
        ".b32" or ".u32" or ".s32" or ".f32" or ".f16x2" or ".bf16x2" => 4,
        ".b64" or ".u64" or ".s64" or ".f64" => 8,
        _ => 0,
    };

    private static (int Align, int Size, int Count) Type(PtxReader reader)
    {
        int align = 0, count = 1;
        while (true)
        {
            var line = reader.Line;
            var word = reader.Word();
            if (word == ".align") align = reader.Number();
            else if (word is ".v2" or ".v4") count = word[2] - '0';
            else if (SizeOf(word) is > 0 and var size)
            {
                // Attributes of a pointer parameter: .ptr .global .align 4.
                while (reader.Peek.Text is ".ptr" or ".global" or ".shared" or ".local" or ".const") reader.Next();
                if (reader.Take(".align")) reader.Number();
                return (align == 0 ? size * count : align, size, count);
            }
            else throw new PtxException(line, $"Expected a type, got '{word}'.");
        }
    }

    private static PtxVariable Named(PtxReader reader, PtxSpace space, int align, int size)
    {
        var line = reader.Line;
        var name = reader.Word();
        var total = size;
        while (reader.Take('['))
        {
            total *= reader.Peek.Is(']') ? 0 : reader.Number();
            reader.Expect(']');
        }
        byte[]? contents = null;
        if (reader.Take('='))
        {
            var bytes = new List<byte>();
            Contents(reader, size, bytes);
            contents = [.. bytes];
            if (total == 0) total = contents.Length;
        }
        return new PtxVariable(name, space, align, total, contents, line);
    }

    private static void Contents(PtxReader reader, int size, List<byte> bytes)
    {
        if (reader.Take('{'))
        {
            while (!reader.Take('}'))
            {
                Contents(reader, size, bytes);
                reader.Take(',');
            }
            return;
        }
        var negative = reader.Take('-');
        var line = reader.Line;
        var word = reader.Word();
        if (!PtxNumbers.Is(word))
            throw new PtxException(line, $"A variable that begins as an address ({word}) is not supported.");
        var (bits, _) = PtxNumbers.Parse(word, negative, line);
        Span<byte> little = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(little, bits);
        bytes.AddRange(little[..size]);
    }

    private static PtxSpace Space(string word) => word switch
    {
        ".global" => PtxSpace.Global,
        ".const" => PtxSpace.Const,
        ".shared" => PtxSpace.Shared,
        ".local" => PtxSpace.Local,
        _ => PtxSpace.Param,
    };
}
