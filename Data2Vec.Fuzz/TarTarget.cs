using System.Formats.Tar;
using Data2Vec.Models.Data;

namespace Data2Vec.Fuzz;

/// <summary>Tar shards: the list of members, and the bytes of each.</summary>
internal static class TarTarget
{
    private const int Block = 512;
    private const int ChecksumField = 148;
    private const int MagicField = 257;

    /// <summary>The target.</summary>
    public static FuzzTarget Create() => new("tar",
    [
        // A refusal is a BadSampleException.
        new("members", typeof(IOException), Read) { PerByte = 64 },
    ])
    {
        OwnSeeds =
        [
            Shard(TarEntryFormat.V7), Shard(TarEntryFormat.Ustar),
            Shard(TarEntryFormat.Pax), Shard(TarEntryFormat.Pax, new string('n', 300)),
            Shard(TarEntryFormat.Gnu), Shard(TarEntryFormat.Gnu, new string('n', 300)),
        ],
        Words = ["ustar\0", "ustar  \0", "00", "./", "../", "20 path=a.b\n", "size=", "9 size=9\n",
            "GNU.sparse.major=1", "\u0080\0\0\0\0\0\0\0\0\0\u0002\0", "77777777777", "././@LongLink"],
    };

    private static void Read(byte[] bytes)
    {
        ScratchFile.Shared.Holding(Repaired(bytes));
        var members = TarShard.Members(ScratchFile.Shared.Path, "f", new BadSamples(BadSamplePolicy.Fail));
        foreach (var (_, files) in TarShard.Samples(members))
            foreach (var file in files)
                _ = file.Extension;
        if (members.Count > 0) members[^1].Read();
    }

    /// <summary>Right sums in every block that calls itself a header: else no mutated one would be read.</summary>
    private static byte[] Repaired(byte[] bytes)
    {
        var copy = (byte[])bytes.Clone();
        for (var at = 0; at + Block <= copy.Length; at += Block)
        {
            var header = copy.AsSpan(at, Block);
            if (!header[MagicField..].StartsWith("ustar"u8)) continue;
            var field = header.Slice(ChecksumField, 8);
            field.Fill((byte)' ');
            var sum = 0;
            foreach (var b in header) sum += b;
            for (var i = 5; i >= 0; i--, sum >>= 3) field[i] = (byte)('0' + (sum & 7));
            field[6] = 0;
        }
        return copy;
    }

    private static byte[] Shard(TarEntryFormat format, string name = "b")
    {
        using var memory = new MemoryStream();
        using (var writer = new TarWriter(memory, format, leaveOpen: true))
        {
            writer.WriteEntry(Entry(format, "./a/b.wav", 3));
            writer.WriteEntry(Entry(format, $"a/{name}.left.txt", 513));
            writer.WriteEntry(Entry(format, "c.flac", 0));
        }
        return memory.ToArray();
    }

    private static TarEntry Entry(TarEntryFormat format, string name, int length)
    {
        TarEntry entry = format switch
        {
            TarEntryFormat.V7 => new V7TarEntry(TarEntryType.V7RegularFile, name),
            TarEntryFormat.Ustar => new UstarTarEntry(TarEntryType.RegularFile, name),
            TarEntryFormat.Gnu => new GnuTarEntry(TarEntryType.RegularFile, name),
            _ => new PaxTarEntry(TarEntryType.RegularFile, name),
        };
        entry.ModificationTime = DateTimeOffset.UnixEpoch;
        entry.DataStream = new MemoryStream(new byte[length]);
        return entry;
    }
}
