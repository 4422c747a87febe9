using Data2Vec.Kernels.Platform;
using NUnit.Framework;

namespace Data2Vec.Tests.Gpu;

/// <summary>
/// What the cache of kernels gives back is what was put in, or nothing: never an error, never another text.
/// </summary>
public sealed class KernelCacheTests
{
    private const string Name = "sm_80 layer_norm_fwd float32";
    private const string Text = ".version 7.0\n.target sm_80\n// µ\n";

    private readonly TemporaryFolder folder = new();

    [TearDown]
    public void Empty()
    {
        foreach (var entry in Directory.GetDirectories(folder.Path)) Directory.Delete(entry, recursive: true);
    }

    [OneTimeTearDown]
    public void Remove() => folder.Dispose();

    [Test]
    public void A_text_comes_back_to_every_process_of_the_build()
    {
        new KernelCache(folder.Path).Write(Name, Text);
        Assert.That(new KernelCache(folder.Path).Read(Name), Is.EqualTo(Text));
        Assert.That(new KernelCache(folder.Path).Read(Name + "2"), Is.Null);
        Assert.That(new KernelCache(folder.Path, "another").Read(Name), Is.Null);
        new KernelCache(folder.Path).Write(Name, "");
        Assert.That(new KernelCache(folder.Path).Read(Name), Is.Empty);
    }

    [Test]
    public void Whatever_byte_is_changed_or_missing_nothing_comes_back_and_it_is_written_anew()
    {
        var cache = new KernelCache(folder.Path);
        cache.Write(Name, Text);
        var path = cache.PathOf(Name);
        var whole = File.ReadAllBytes(path);
        for (var i = 0; i < whole.Length; i++)
        {
            byte[] damaged = [.. whole];
            damaged[i] ^= 1;
            File.WriteAllBytes(path, damaged);
            Assert.That(cache.Read(Name), Is.Null, $"byte {i} changed");
            File.WriteAllBytes(path, whole[..i]);
            Assert.That(cache.Read(Name), Is.Null, $"cut at byte {i}");
        }
        cache.Write(Name, Text);
        Assert.That(cache.Read(Name), Is.EqualTo(Text));
    }

    [Test]
    public void A_file_of_another_name_in_its_place_is_not_taken()
    {
        var cache = new KernelCache(folder.Path);
        cache.Write("other", Text);
        File.Move(cache.PathOf("other"), cache.PathOf(Name));
        Assert.That(cache.Read(Name), Is.Null);
    }

    [Test]
    public void Where_nothing_can_be_written_there_is_no_cache_and_no_error()
    {
        var file = Path.Combine(folder.Path, "file");
        File.WriteAllText(file, "");
        foreach (var root in new[] { file, "/proc/none/such", null })
        {
            var cache = new KernelCache(root);
            cache.Write(Name, Text);
            Assert.That(cache.Read(Name), Is.Null, root);
        }
        // What cannot be read, here a folder in the file's place, is as if it were not there.
        var broken = new KernelCache(folder.Path);
        Directory.CreateDirectory(broken.PathOf(Name));
        broken.Write(Name, Text);
        Assert.That(broken.Read(Name), Is.Null);
        var build = Path.GetDirectoryName(broken.PathOf(Name))!;
        Assert.That(Directory.GetFiles(build), Is.Empty, "what was written aside");
        File.Delete(file);
    }

    [Test]
    public void Many_writers_and_readers_see_whole_texts_only()
    {
        string[] texts = [.. Enumerable.Range(0, 8).Select(i => new string((char)('a' + i), 20_000 + 7_000 * i))];
        new KernelCache(folder.Path).Write(Name, texts[0]);
        Parallel.For(0, 400, i =>
        {
            var cache = new KernelCache(folder.Path);
            if (i % 2 == 0) cache.Write(Name, texts[i / 2 % texts.Length]);
            else Assert.That(texts, Does.Contain(cache.Read(Name)));
        });
        Assert.That(Directory.GetFiles(folder.Path, "*", SearchOption.AllDirectories), Has.Length.EqualTo(1));
    }

    [Test]
    public void Builds_that_were_not_used_for_the_longest_time_are_removed_and_nothing_else()
    {
        var strange = Directory.CreateDirectory(Path.Combine(folder.Path, "mine")).FullName;
        Directory.SetLastWriteTimeUtc(strange, DateTime.UnixEpoch);
        for (var i = 0; i < 12; i++)
        {
            var cache = new KernelCache(folder.Path, $"{i:D2}");
            cache.Write(Name, Text);
            Directory.SetLastWriteTimeUtc(Path.GetDirectoryName(cache.PathOf(Name))!, DateTime.UnixEpoch.AddDays(i));
            // Build 2 is in use all the time.
            if (i >= 2) Assert.That(new KernelCache(folder.Path, "02").Read(Name), Is.EqualTo(Text));
        }
        var left = Directory.GetDirectories(folder.Path).Select(p => Path.GetFileName(p)!);
        Assert.That(left, Is.EquivalentTo(new[]
        {
            "mine", "build-02", "build-05", "build-06", "build-07", "build-08", "build-09", "build-10", "build-11",
        }));
    }

    [Test]
    public void The_environment_says_where_it_is()
    {
        Dictionary<string, string> set = [];
        string? Root() => KernelCache.Root(set.GetValueOrDefault);
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        Assert.That(Root(), Is.EqualTo(Path.Combine(home, ".cache/data2vec/kernels")));
        set["XDG_CACHE_HOME"] = "relative";
        Assert.That(Root(), Is.EqualTo(Path.Combine(home, ".cache/data2vec/kernels")));
        set["XDG_CACHE_HOME"] = "/caches";
        Assert.That(Root(), Is.EqualTo("/caches/data2vec/kernels"));
        set[KernelCache.Variable] = "/elsewhere";
        Assert.That(Root(), Is.EqualTo("/elsewhere"));
        set[KernelCache.Variable] = "off";
        Assert.That(Root(), Is.Null);
    }
}
