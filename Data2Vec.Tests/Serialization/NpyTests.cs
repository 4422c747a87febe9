using System.Text;
using Data2Vec.Engine.Serialization;
using Data2Vec.Kernels;
using NUnit.Framework;

namespace Data2Vec.Tests.Serialization;

public sealed class NpyTests
{
    [Test]
    public void The_written_bytes_are_these()
    {
        using var stream = new MemoryStream();
        Npy.Write(stream, new Shape(1, 2), [1f, -2f]);
        // What numpy.save writes for numpy.array([[1, -2]], dtype=numpy.float32).
        var header = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }".PadRight(117) + "\n";
        byte[] expected =
        [
            0x93, .. "NUMPY"u8, 1, 0, 118, 0, .. Encoding.ASCII.GetBytes(header), 0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0,
        ];
        Assert.That(stream.ToArray(), Is.EqualTo(expected));
    }

    [TestCase]
    [TestCase(3)]
    [TestCase(0, 4)]
    [TestCase(2, 3, 4, 1, 1, 2, 1, 2)]
    public void An_array_comes_back_as_it_was(params int[] extents)
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "x.npy");
        var shape = new Shape(extents);
        var singles = Enumerable.Range(0, (int)shape.Count).Select(i => i / 3f).ToArray();
        Npy.Save(path, shape, singles);
        Assert.That(Npy.LoadSingles(path), Is.EqualTo((shape, singles)));
        Assert.That((new FileInfo(path).Length - 4 * shape.Count) % 64, Is.Zero);
        Assert.That(() => Npy.LoadIntegers(path), Throws.TypeOf<InvalidDataException>());
        var integers = Enumerable.Range(0, (int)shape.Count).Select(i => long.MinValue + i).ToArray();
        Npy.Save(path, shape, integers);
        Assert.That(Npy.LoadIntegers(path), Is.EqualTo((shape, integers)));
    }

    [Test]
    public void A_damaged_file_is_refused_whatever_the_damage()
    {
        using var folder = new TemporaryFolder();
        var path = Path.Combine(folder.Path, "x.npy");
        Npy.Save(path, new Shape(2, 2), [1f, 2f, 3f, 4f]);
        var bytes = File.ReadAllBytes(path);
        for (var length = 0; length < bytes.Length; length++)
        {
            File.WriteAllBytes(path, bytes[..length]);
            Assert.That(() => Npy.LoadSingles(path), Throws.TypeOf<InvalidDataException>(), $"{length} bytes");
        }
        foreach (var (from, to) in new[] { ("(2, 2)", "(99999999999,)"), ("<f4", ">f4"), ("(2, 2)", "(2, 3)"),
            ("(2, 2)", "(2147483647, 2147483647, 2147483647)"), ("(2, 2)", "(1, 1,1,1,1,1,1,1,4)"),
            ("False", "True ") })
        {
            var text = Encoding.Latin1.GetString(bytes);
            var change = to.Length - from.Length;
            text = text.Replace(from, to);
            text = change <= 0 ? text : text.Remove(text.IndexOf('\n') - change, change);
            File.WriteAllBytes(path, Encoding.Latin1.GetBytes(text));
            Assert.That(() => Npy.LoadSingles(path), Throws.TypeOf<InvalidDataException>(), to);
        }
        Assert.That(() => Npy.Save(path, new Shape(3), [1f]), Throws.ArgumentException);
    }
}
