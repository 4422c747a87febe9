using System.Buffers.Binary;
using System.Text;
using Data2Vec.Engine.Serialization;
using NUnit.Framework;

namespace Data2Vec.Tests.Serialization;

/// <summary>One test per promise of the format: a file that breaks it is refused with a sentence about it.</summary>
public sealed class SafetensorsRefusalTests
{
    private const string Good = """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""";
    private const string Empty = """{"dtype":"U8","shape":[0],"data_offsets":[0,0]}""";

    [Test]
    public void The_file_that_the_others_are_broken_from_is_read()
    {
        var file = SafetensorsFile.FromBytes(Bytes(Good, 8));
        Assert.That(file.Entries[0].ToString(), Is.EqualTo("a F32 (2)"));
        Assert.That(file.Read<float>("a"), Is.EqualTo(new float[2]));
    }

    [TestCase(0, "is empty")]
    [TestCase(1, "truncated: expected 8 bytes")]
    [TestCase(7, "truncated: expected 8 bytes")]
    [TestCase(8, "truncated: the header should be 54 bytes long, but only 0")]
    [TestCase(20, "truncated: the header")]
    [TestCase(62, "ends at byte 8 of the data, but the file has only 0 bytes")]
    [TestCase(69, "has only 7 bytes of data: it is truncated")]
    public void A_truncated_file_is_refused(int length, string message) =>
        AssertRefused(Bytes(Good, 8)[..length], message);

    [Test]
    public void Bytes_after_the_last_tensor_are_refused() => AssertRefused(
        Bytes(Good, 9), "the data must end at byte 8, where the last tensor ends; the file has 1 bytes more");

    [TestCase(100_000_001UL)]
    [TestCase(1UL << 31)]
    [TestCase(1UL << 63)]
    [TestCase(ulong.MaxValue)]
    public void A_header_longer_than_the_format_allows_is_refused(ulong length) =>
        AssertRefused(WithLength(Good, length), "must be at most 100000000 bytes long; it says " + length);

    [Test]
    public void A_header_longer_than_the_file_is_refused() =>
        AssertRefused(WithLength(Good, 100_000_000), "the header should be 100000000 bytes long");

    [TestCase("", "must start with '{', but it is empty")]
    [TestCase(" {}", "must start with '{'; got byte 0x20")]
    [TestCase("[]", "must start with '{'; got byte 0x5B")]
    [TestCase("{", "one valid JSON object")]
    [TestCase("{}}", "one valid JSON object")]
    [TestCase("{}{}", "one valid JSON object")]
    [TestCase("{}\0", "one valid JSON object")]
    [TestCase("""{"a":1,}""", "must be described by an object")]
    [TestCase("""{/* */}""", "one valid JSON object")]
    [TestCase("""{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],}}""", "one valid JSON object")]
    [TestCase("""{"a":{"dtype":"U8","shape":[01],"data_offsets":[0,0]}}""", "one valid JSON object")]
    public void A_header_that_is_no_JSON_object_is_refused(string header, string message) =>
        AssertRefused(Bytes(header, 0), message);

    [Test]
    public void Broken_UTF8_is_refused()
    {
        var bytes = Bytes(Good, 8);
        bytes[10] = 0xFF;
        AssertRefused(bytes, "must be valid UTF-8");
    }

    [TestCase("""{"\uD800":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}""")]
    [TestCase("""{"a":{"dtype":"\uDC00","shape":[0],"data_offsets":[0,0]}}""")]
    [TestCase("""{"__metadata__":{"a":"\uD800x"}}""")]
    public void Half_a_surrogate_pair_is_refused(string header) =>
        AssertRefused(Bytes(header, 0), "must be valid Unicode");

    [TestCase($$"""{"a":{{Empty}},"a":{{Empty}}}""", "the tensor \"a\" must be there once")]
    [TestCase($$"""{"a":{{Empty}},"\u0061":{{Empty}}}""", "the tensor \"a\" must be there once")]
    [TestCase("""{"__metadata__":{},"__metadata__":{}}""", "the key \"__metadata__\" must be there once")]
    [TestCase("""{"__metadata__":{"k":"1","k":"1"}}""", "the metadata key \"k\" must be there once")]
    [TestCase("""{"a":{"dtype":"U8","dtype":"U8","shape":[0],"data_offsets":[0,0]}}""", "must have one dtype; got two")]
    [TestCase("""{"a":{"dtype":"U8","shape":[0],"shape":[0],"data_offsets":[0,0]}}""", "must have one shape; got two")]
    [TestCase("""{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"data_offsets":[0,0]}}""",
        "must have one data_offsets; got two")]
    public void A_key_that_is_there_twice_is_refused(string header, string message) =>
        AssertRefused(Bytes(header, 0), message);

    [TestCase("""{"a":{"shape":[0],"data_offsets":[0,0]}}""", "must have a dtype, and has none")]
    [TestCase("""{"a":{"dtype":"U8","data_offsets":[0,0]}}""", "must have a shape, and has none")]
    [TestCase("""{"a":{"dtype":"U8","shape":[0]}}""", "must have data_offsets, and has none")]
    [TestCase("""{"a":{"dtype":"U8","shape":[0],"data_offsets":[0,0],"x":{}}}""", "only; got \"x\"")]
    [TestCase("""{"a":[]}""", "must be described by an object with dtype, shape and data_offsets; got a list")]
    [TestCase("""{"a":{"dtype":8,"shape":[0],"data_offsets":[0,0]}}""", "a string as dtype; got 8")]
    [TestCase("""{"a":{"dtype":"F33","shape":[0],"data_offsets":[0,0]}}""",
        "unknown dtype \"F33\"; expected one of F64, F32")]
    [TestCase("""{"a":{"dtype":"f32","shape":[0],"data_offsets":[0,0]}}""", "unknown dtype \"f32\"")]
    [TestCase("""{"a":{"dtype":"Bool","shape":[0],"data_offsets":[0,0]}}""", "unknown dtype \"Bool\"")]
    public void A_tensor_that_is_not_fully_described_is_refused(string header, string message) =>
        AssertRefused(Bytes(header, 0), message);

    [TestCase("-1", "integers of at least 0 in shape; got -1")]
    [TestCase("-0", "integers of at least 0 in shape; got -0")]
    [TestCase("1.0", "integers of at least 0 in shape; got 1.0")]
    [TestCase("1e0", "integers of at least 0 in shape; got 1e0")]
    [TestCase("\"1\"", "integers of at least 0 in shape; got a string")]
    [TestCase("null", "integers of at least 0 in shape; got null")]
    [TestCase("[1]", "integers of at least 0 in shape; got a list")]
    [TestCase("9223372036854775808", "a number in shape beyond 2^63")]
    [TestCase("99999999999999999999999999999999999999999999999999", "a number of 50 digits")]
    [TestCase("9223372036854775807,2", "expected a size below 2^63")]
    [TestCase("4294967296,4294967296", "expected a size below 2^63")]
    [TestCase("4294967296,4294967296,0", "expected a size below 2^63")]
    [TestCase("2305843009213693952", "expected a size below 2^63")]
    [TestCase("3", "of F32 (3) needs 12 bytes; its data_offsets [0, 8] span 8")]
    [TestCase("2,0", "needs 0 bytes")]
    [TestCase("4611686018427387904,4", "expected a size below 2^63")]
    public void A_shape_that_cannot_be_is_refused(string shape, string message) =>
        AssertRefused(Bytes(Good.Replace("\"shape\":[2]", $"\"shape\":[{shape}]"), 8), message);

    [Test]
    public void A_shape_of_very_many_dimensions_is_refused() => AssertRefused(
        Bytes(Good.Replace("\"shape\":[2]", $"\"shape\":[2{string.Concat(Enumerable.Repeat(",1", 64))}]"), 8),
        "at most 64 numbers in shape");

    [TestCase("0,7", "its data_offsets [0, 7] span 7")]
    [TestCase("8,0", "[begin, end] with begin <= end; got [8, 0]")]
    [TestCase("8", "[begin, end] with begin <= end; got [8]")]
    [TestCase("", "[begin, end] with begin <= end; got []")]
    [TestCase("0,8,8", "at most 2 numbers in data_offsets")]
    [TestCase("-8,0", "integers of at least 0 in data_offsets; got -8")]
    [TestCase("0.0,8", "integers of at least 0 in data_offsets; got 0.0")]
    [TestCase("1,9", "ends at byte 9 of the data, but the file has only 8")]
    [TestCase("9223372036854775799,9223372036854775807", "but the file has only 8 bytes")]
    [TestCase("18446744073709551608,18446744073709551616", "a number in data_offsets beyond 2^63")]
    public void Offsets_that_cannot_be_are_refused(string offsets, string message) =>
        AssertRefused(Bytes(Good.Replace("[0,8]", $"[{offsets}]"), 8), message);

    [TestCase(0, 4, 5, 9, "which leaves a hole")]
    [TestCase(1, 5, 5, 9, "at byte 0; it begins at 1, which leaves a hole")]
    [TestCase(0, 4, 3, 7, "which leaves an overlap")]
    [TestCase(0, 4, 0, 4, "which leaves an overlap")]
    public void Tensors_that_overlap_or_leave_holes_are_refused(int a, int b, int c, int d, string message)
    {
        AssertRefused(Bytes($"{{\"y\":{Scalar(c, d)},\"x\":{Scalar(a, b)}}}", Math.Max(b, d)), message);

        static string Scalar(int begin, int end) =>
            $$"""{"dtype":"F32","shape":[],"data_offsets":[{{begin}},{{end}}]}""";
    }

    [TestCase("1", "the metadata \"k\" must be a string; got 1")]
    [TestCase("null", "the metadata \"k\" must be a string; got null")]
    [TestCase("{}", "the metadata \"k\" must be a string; got an object")]
    public void Metadata_that_is_no_string_is_refused(string value, string message) =>
        AssertRefused(Bytes($$$"""{"__metadata__":{"k":{{{value}}}}}""", 0), message);

    [TestCase("[]")]
    [TestCase("null")]
    [TestCase("\"text\"")]
    public void Metadata_that_is_no_object_is_refused(string value) =>
        AssertRefused(Bytes($$$"""{"__metadata__":{{{value}}}}""", 0), "__metadata__ must be an object of strings");

    [Test]
    public void A_deeply_nested_header_is_refused() => AssertRefused(
        Bytes("{\"a\":" + new string('[', 1_000_000), 0), "must be described by an object");

    [Test]
    public void What_a_header_states_is_not_allocated()
    {
        byte[][] hostile =
        [
            WithLength(Good, 99_999_999),
            Bytes(Good.Replace("[2]", "[1000000000000]").Replace("[0,8]", "[0,4000000000000]"), 8),
            Bytes(Good.Replace("[2]", "[0,9223372036854775807]").Replace("[0,8]", "[0,0]"), 8),
        ];
        foreach (var bytes in hostile)
        {
            AssertRefused(bytes, "");
            var before = GC.GetAllocatedBytesForCurrentThread();
            Assert.That(() => SafetensorsFile.FromBytes(bytes), Throws.TypeOf<SafetensorsException>());
            Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(64 * 1024));
        }
    }

    [Test]
    public void A_message_names_the_file_and_stays_short_and_on_one_line()
    {
        var name = "line\\nbreak" + new string('x', 10_000);
        AssertRefused(Bytes($$$"""{"{{{name}}}":[]}""", 0), "\"line\\u000Abreakxxx");
    }

    [Test]
    public void A_path_stands_in_the_message_of_a_file()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "broken.safetensors");
        File.WriteAllBytes(path, Bytes(Good, 7));
        Assert.That(() => SafetensorsFile.Open(path),
            Throws.TypeOf<SafetensorsException>().With.Message.StartsWith(path + ": tensor \"a\" ends at byte 8"));
        File.WriteAllBytes(path, Bytes(Good, 8));
        using var file = SafetensorsFile.Open(path);
        File.WriteAllBytes(path, Bytes(Good, 4));
        Assert.That(() => file.Read<float>("a"),
            Throws.TypeOf<SafetensorsException>().With.Message.Contains("has become shorter since it was opened"));
    }

    private static void AssertRefused(byte[] bytes, string message) =>
        Assert.That(() => SafetensorsFile.FromBytes(bytes, "some/file"),
            Throws.TypeOf<SafetensorsException>().With.Message.Contains(message)
                .And.Message.Match(@"^some/file: [^\n]{1,400}\.$"));

    private static byte[] Bytes(string header, int dataLength)
    {
        var text = Encoding.UTF8.GetBytes(header);
        var bytes = new byte[8 + text.Length + dataLength];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, (ulong)text.Length);
        text.CopyTo(bytes, 8);
        return bytes;
    }

    private static byte[] WithLength(string header, ulong length)
    {
        var bytes = Bytes(header, 8);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        return bytes;
    }
}
