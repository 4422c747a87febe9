using System.Buffers.Binary;
using System.Text;
using CsCheck;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Serialization;

/// <summary>What is written is read, byte by byte; and no bytes at all bring the reader down.</summary>
public sealed class SafetensorsTests
{
    private static readonly Gen<(string Name, SafetensorsType Type, long[] Shape, byte[] Data)> GenTensor =
        from name in Gen.String.Where(s => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(s)) == s)
        from type in Gen.Enum<SafetensorsType>()
        from shape in Gen.Long[0, 5].Array[0, 4]
        from data in Gen.Byte.Array[(int)shape.Aggregate((long)type.Size(), (n, d) => n * d)]
        select (name, type, shape, data);

    private static readonly Gen<(string Name, SafetensorsType Type, long[] Shape, byte[] Data)[]> GenTensors =
        GenTensor.Array[0, 6].Select(tensors => tensors.DistinctBy(t => t.Name).ToArray());

    [Test]
    public void Random_tensors_come_back_as_they_were() => GenTensors.Sample(tensors =>
    {
        const string value = "a \"value\"\n\u00e9\U0001F600";
        var bytes = Write(tensors, ("a key", value));
        var file = SafetensorsFile.FromBytes(bytes);
        Assert.That(file.Entries, Has.Count.EqualTo(tensors.Length));
        Assert.That(file.Metadata, Is.EqualTo(new Dictionary<string, string> { ["a key"] = value }));
        foreach (var (name, type, shape, data) in tensors)
        {
            var entry = file[name];
            var read = new byte[entry.ByteCount];
            file.CopyBytes(entry, read);
            Assert.That((entry.Type, entry.ElementCount), Is.EqualTo((type, shape.Aggregate(1L, (n, d) => n * d))));
            Assert.That(entry.Dimensions.ToArray(), Is.EqualTo(shape));
            Assert.That(read, Is.EqualTo(data));
        }
    }, iter: 300);

    [Test]
    public void The_bytes_do_not_depend_on_the_order_of_adding() => GenTensors.Sample(tensors =>
    {
        var bytes = Write(tensors);
        Assert.That(Write([.. tensors.AsEnumerable().Reverse()]), Is.EqualTo(bytes));
        var header = BinaryPrimitives.ReadInt64LittleEndian(bytes);
        Assert.That(header % 8, Is.Zero, "the data begins at a multiple of 8");
        var entries = SafetensorsFile.FromBytes(bytes).Entries;
        Assert.That(entries.Count(e => e.Begin % e.Type.Size() != 0), Is.Zero);
    }, iter: 300);

    [Test]
    public void Changed_bytes_give_a_valid_read_or_a_refusal()
    {
        var original = Write([
            ("weight", SafetensorsType.F32, [3, 2], new byte[24]), ("bias", SafetensorsType.BF16, [2], new byte[4]),
            ("mask", SafetensorsType.Bool, [0, 7], []), ("step", SafetensorsType.I64, [], new byte[8])], ("k", "v"));
        var change = Gen.Select(Gen.Int[0, original.Length - 1], Gen.OneOf(Gen.Byte, GenJsonByte)).Array[1, 4];
        var (read, refused) = (0, 0);
        Gen.Select(change, Gen.Int[-12, 12]).Sample((changes, growth) =>
        {
            var bytes = original.ToArray();
            foreach (var (at, value) in changes) bytes[at] = value;
            Array.Resize(ref bytes, bytes.Length + (growth is > 8 or < -8 ? growth : 0));
            try
            {
                var file = SafetensorsFile.FromBytes(bytes);
                foreach (var entry in file.Entries)
                    Assert.That(file.ReadDoubles(entry.Name), Has.Length.EqualTo(entry.ElementCount));
                Interlocked.Increment(ref read);
            }
            catch (SafetensorsException)
            {
                Interlocked.Increment(ref refused);
            }
        }, iter: 20_000);
        Assert.That(read, Is.Positive);
        Assert.That(refused, Is.GreaterThan(1000));
    }

    [Test]
    public void The_written_bytes_are_these()
    {
        var writer = new SafetensorsWriter();
        writer.Add<bool>("flag", new Shape(1), new[] { true });
        writer.Add<float>("b", new Shape(), new[] { 1f });
        writer.Add<long>("a", new Shape(0, 3), Array.Empty<long>());
        writer.SetMetadata("format", "pt");
        using var stream = new MemoryStream();
        writer.Write(stream);
        const string lines = """
            {"__metadata__":{"format":"pt"},
            "a":{"dtype":"I64","shape":[0,3],"data_offsets":[0,0]},
            "b":{"dtype":"F32","shape":[],"data_offsets":[0,4]},
            "flag":{"dtype":"BOOL","shape":[1],"data_offsets":[4,5]}}
            """;
        var header = lines.ReplaceLineEndings("");
        var padded = header.PadRight((header.Length + 7) / 8 * 8);
        byte[] expected =
            [(byte)padded.Length, 0, 0, 0, 0, 0, 0, 0, .. Encoding.ASCII.GetBytes(padded), 0, 0, 0x80, 0x3F, 1];
        Assert.That(stream.ToArray(), Is.EqualTo(expected));
    }

    [Test]
    public void Every_element_type_is_read_as_numbers()
    {
        var writer = new SafetensorsWriter();
        Add("F64", -2.5);
        Add("F32", -2.5f);
        Add("F16", (Half)(-2.5));
        Add("BF16", (BFloat16)(-2.5f));
        Add("I64", long.MinValue);
        Add("I32", int.MinValue);
        Add("I16", short.MinValue);
        Add("I8", sbyte.MinValue);
        Add("U8", byte.MaxValue);
        Add("U16", ushort.MaxValue);
        Add("U32", uint.MaxValue);
        Add("U64", 1UL << 63);
        Add("BOOL", true);
        using var stream = new MemoryStream();
        writer.Write(stream);
        var file = SafetensorsFile.FromBytes(stream.ToArray());
        Assert.Multiple(() =>
        {
            foreach (var name in new[] { "F64", "F32", "F16", "BF16" })
            {
                Assert.That(file.ReadSingles(name), Is.EqualTo(new[] { -2.5f }), name);
                Assert.That(file.ReadDoubles(name), Is.EqualTo(new[] { -2.5 }), name);
                Assert.That(() => file.ReadIntegers(name), Throws.TypeOf<SafetensorsException>(), name);
            }
            foreach (var (name, value) in new (string, long)[]
            {
                ("I64", long.MinValue), ("I32", int.MinValue), ("I16", short.MinValue), ("I8", sbyte.MinValue),
                ("U8", 255), ("U16", 65535), ("U32", uint.MaxValue), ("BOOL", 1),
            })
            {
                Assert.That(file.ReadIntegers(name), Is.EqualTo(new[] { value }), name);
                Assert.That(file.ReadDoubles(name), Is.EqualTo(new[] { (double)value }), name);
                Assert.That(() => file.ReadSingles(name), Throws.TypeOf<SafetensorsException>(), name);
            }
            Assert.That(file.ReadDoubles("U64"), Is.EqualTo(new[] { Math.ScaleB(1, 63) }));
            Assert.That(() => file.ReadIntegers("U64"), Throws.TypeOf<SafetensorsException>());
            Assert.That(file.Read<ulong>("U64"), Is.EqualTo(new[] { 1UL << 63 }));
            Assert.That(file["F32"].ToShape(), Is.EqualTo(new Shape(1, 1)));
        });

        void Add<T>(string name, T value)
            where T : unmanaged => writer.Add<T>(name, new Shape(1, 1), new[] { value });
    }

    [Test]
    public void Many_values_are_converted_in_parts()
    {
        var values = Enumerable.Range(0, 100_003).Select(i => (Half)(i % 2048)).ToArray();
        var writer = new SafetensorsWriter();
        writer.Add<Half>("x", new Shape(values.Length), values);
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "x.safetensors");
        writer.Save(path);
        using var file = SafetensorsFile.Open(path);
        Assert.That(file.ReadSingles("x"), Is.EqualTo(values.Select(v => (float)v)));
        var part = new byte[4];
        file.CopyBytes(file["x"], part, start: 200_002);
        Assert.That(BitConverter.ToHalf(part, 2), Is.EqualTo(values[^1]));
        Assert.That(() => file.CopyBytes(file["x"], part, 200_003), Throws.TypeOf<ArgumentOutOfRangeException>());
    }

    [Test]
    public void NaN_and_infinity_are_kept_bit_by_bit()
    {
        uint[] bits = [0x7F80_0001, 0xFFC0_1234, 0x7F80_0000, 0x8000_0000];
        var values = bits.Select(BitConverter.UInt32BitsToSingle).ToArray();
        var writer = new SafetensorsWriter();
        writer.Add<float>("x", new Shape(4), values);
        using var stream = new MemoryStream();
        writer.Write(stream);
        var read = SafetensorsFile.FromBytes(stream.ToArray()).Read<float>("x");
        Assert.That(read.Select(BitConverter.SingleToUInt32Bits), Is.EqualTo(bits));
    }

    [Test]
    public void Asking_for_what_is_not_there_is_refused()
    {
        var file = SafetensorsFile.FromBytes(Write([("x", SafetensorsType.Bool, [2], [1, 2])]), "some/file");
        Assert.That(file.Contains("x") && !file.Contains("y"));
        Assert.That(() => file["y"], Throws.TypeOf<SafetensorsException>().With.Message.EqualTo(
            "some/file: there is no tensor \"y\" among the 1 of the file."));
        Assert.That(() => file.Read<float>("x"), Throws.TypeOf<SafetensorsException>().With.Message.EqualTo(
            "some/file: tensor \"x\" is BOOL; expected F32."));
        Assert.That(() => file.Read<bool>("x"), Throws.TypeOf<SafetensorsException>().With.Message.EqualTo(
            "some/file: tensor \"x\" is BOOL and must hold 0 and 1 only."));
        var wide = SafetensorsFile.FromBytes(Write([("x", SafetensorsType.U8, [0, 1L << 31], [])]));
        Assert.That(() => wide["x"].ToShape(), Throws.TypeOf<SafetensorsException>());
    }

    [Test]
    public void The_writer_refuses_what_the_reader_would()
    {
        var writer = new SafetensorsWriter();
        writer.Add<float>("x", new Shape(1), new float[1]);
        Assert.Multiple(() =>
        {
            Assert.That(() => writer.Add<float>("x", new Shape(1), new float[1]), Throws.ArgumentException);
            Assert.That(() => writer.Add<float>("y", new Shape(2), new float[1]), Throws.ArgumentException);
            Assert.That(() => writer.Add<float>("__metadata__", new Shape(1), new float[1]), Throws.ArgumentException);
            Assert.That(() => writer.Add<float>("\uD800", new Shape(1), new float[1]), Throws.ArgumentException);
            Assert.That(() => writer.Add<char>("y", new Shape(1), new char[1]), Throws.ArgumentException);
            Assert.That(() => writer.SetMetadata("k", "\uDC00"), Throws.ArgumentException);
            Assert.That(() => Add(-1), Throws.ArgumentException);
            Assert.That(() => Add(1L << 61), Throws.ArgumentException);
            Assert.That(() => Add(1L << 32, 1L << 32), Throws.ArgumentException);
            Assert.That(() => Add(new long[65]), Throws.ArgumentException);
        });
        Add(2);
        Assert.That(() => writer.Write(Stream.Null), Throws.InvalidOperationException.With.Message.EqualTo(
            "Tensor \"y\" must give 8 bytes; it gave 3."));

        void Add(params long[] shape) =>
            writer.Add("y", SafetensorsType.F32, shape, stream => stream.Write(new byte[3], 0, 3));
    }

    [Test]
    public void Every_published_fixture_file_is_read()
    {
        var files = Fixtures.Folders(".").SelectMany(folder => Directory.EnumerateFiles(
            folder, "*.safetensors", SearchOption.AllDirectories)).ToList();
        Assert.That(files, Is.Not.Empty);
        foreach (var path in files)
        {
            if (path.Contains("truncated_file"))
            {
                Assert.That(() => SafetensorsFile.Open(path),
                    Throws.TypeOf<SafetensorsException>().With.Message.Contains("truncated"));
                continue;
            }
            using var file = SafetensorsFile.Open(path);
            Assert.That(file.Entries.Sum(e => e.ByteCount), Is.LessThan(new FileInfo(path).Length), path);
        }
    }

    private static readonly byte[] JsonBytes = "{}[]\":,0123456789-.eE \\u"u8.ToArray();

    private static Gen<byte> GenJsonByte => Gen.Int[0, JsonBytes.Length - 1].Select(i => JsonBytes[i]);

    private static byte[] Write(
        (string Name, SafetensorsType Type, long[] Shape, byte[] Data)[] tensors, params (string, string)[] metadata)
    {
        var writer = new SafetensorsWriter();
        foreach (var (name, type, shape, data) in tensors)
            writer.Add(name, type, shape, stream => stream.Write(data, 0, data.Length));
        foreach (var (key, value) in metadata) writer.SetMetadata(key, value);
        using var stream = new MemoryStream();
        writer.Write(stream);
        return stream.ToArray();
    }
}
