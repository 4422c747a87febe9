using System.Globalization;
using System.Text;

namespace Data2Vec.Models.Data;

/// <summary>A corpus of the user's own pictures: folders, tar shards, single files.</summary>
/// <remarks>
/// Classes: the first folder below the data folder names the class of a picture (as in ImageNet), as long as no picture
/// lies in the data folder itself. In a shard a member <c>key.cls</c> names the class of <c>key.jpg</c>, else its first
/// folder does. Unless every picture has a class, none has.
/// </remarks>
public static class ImageFiles
{
    private const int HeldOutOneIn = 6;
    private const int LongestClass = 256;

    // Ends loops of links.
    private static readonly EnumerationOptions Everything = new()
    {
        RecurseSubdirectories = true, IgnoreInaccessible = false, MaxRecursionDepth = 16,
        AttributesToSkip = FileAttributes.None,
    };

    /// <summary>
    /// Finds pictures (.jpg, .jpeg, .png, .webp, .gif, .bmp) in folders and all folders below them, in tar shards
    /// (.tar, given or below a folder), and in files. None is opened but the shards, whose headers are read.
    /// </summary>
    /// <param name="paths">Folders and files; their order does not matter to the pictures of each.</param>
    /// <param name="bad">What to do about damaged shards.</param>
    /// <remarks>About a sixth of the pictures is held out, chosen by a hash of their names alone.</remarks>
    /// <exception cref="FileNotFoundException">A path does not exist.</exception>
    /// <exception cref="InvalidDataException">A path holds no picture.</exception>
    /// <exception cref="BadSampleException">A shard is damaged and the policy is to fail.</exception>
    /// <exception cref="IOException">A folder cannot be listed.</exception>
    public static ImageCorpus Load(IReadOnlyList<string> paths, BadSamples bad)
    {
        if (paths.Count == 0) throw new InvalidDataException("No data path is given.");
        var found = new List<(SampleFile File, string? Class)>();
        foreach (var path in paths)
        {
            var before = found.Count;
            foreach (var (file, name) in Files(path))
                found.AddRange(IsShard(file) ? Shard(file, name, bad) : [(SampleFile.Whole(name, file), Folder(name))]);
            if (found.Count == before && !bad.List.Any(b => b.Name == Path.GetFileName(path)))
                throw new InvalidDataException(
                    $"{path}: no picture was found; expected .jpg, .png, .webp, .gif or .bmp files, or .tar shards.");
        }
        var names = new HashSet<string>(StringComparer.Ordinal);
        found = [.. found.DistinctBy(f => (Path.GetFullPath(f.File.Path), f.File.Offset))
            .Select(f => (Unique(f.File, names), f.Class))];
        var classes = found.All(f => f.Class is not null) ? Ordered(found.Select(f => f.Class!).Distinct()) : [];
        var numbers = classes.Select((c, i) => (c, i)).ToDictionary(c => c.c, c => c.i, StringComparer.Ordinal);
        ImageSample Sample(SampleFile file, string? label) => new(
            file, numbers.Count == 0 ? -1 : numbers[label!], StableHash.Of(file.Name) % HeldOutOneIn == 0);
        return new ImageCorpus(string.Join(", ", paths), [.. found.Select(f => Sample(f.File, f.Class))], classes);
    }

    private static IEnumerable<(string Path, string Name)> Files(string path)
    {
        if (File.Exists(path)) return [(path, Path.GetFileName(path))];
        if (!Directory.Exists(path))
            throw new FileNotFoundException(
                $"{path}: no such file or folder; --data needs pictures, tar shards or folders.");
        return Directory.EnumerateFiles(path, "*", Everything)
            .Where(f => ImageFile.HasImageName(f) || IsShard(f))
            .Select(f => (Path: f, Name: Path.GetRelativePath(path, f).Replace('\\', '/')))
            .OrderBy(f => f.Name, StringComparer.Ordinal);
    }

    /// <summary>Two data folders may hold pictures of one name; the second is then called by its path.</summary>
    private static SampleFile Unique(SampleFile file, HashSet<string> names)
    {
        if (names.Add(file.Name)) return file;
        var renamed = file with { Name = $"{file.Path}:{file.Name}" };
        names.Add(renamed.Name);
        return renamed;
    }

    private static bool IsShard(string path) => path.EndsWith(".tar", StringComparison.OrdinalIgnoreCase);

    private static List<(SampleFile, string?)> Shard(string path, string name, BadSamples bad)
    {
        var pictures = new List<(SampleFile, string?)>();
        foreach (var (_, members) in TarShard.Samples(TarShard.Members(path, name, bad)))
        {
            var label = members.FirstOrDefault(m => m.Extension == "cls");
            foreach (var member in members.Where(m => ImageFile.HasImageName(m.Name)))
                pictures.Add((member, label is null ? Folder(member.Name[(name.Length + 1)..]) : ClassOf(label)));
        }
        return pictures;
    }

    private static string ClassOf(SampleFile label)
    {
        var text = label.Length is > 0 and <= LongestClass ? Encoding.UTF8.GetString(label.Read()).Trim() : "";
        return text.Length > 0 && !text.Any(char.IsControl)
            ? text
            : throw new InvalidDataException(
                $"{label.Path}: {label.Name} should name a class in 1 to {LongestClass} bytes; it has {label.Length}.");
    }

    private static string? Folder(string name)
    {
        var end = name.IndexOf('/');
        return end > 0 ? name[..end] : null;
    }

    /// <summary>Numbers by value, so that class 10 follows class 9; else by their characters.</summary>
    private static string[] Ordered(IEnumerable<string> classes)
    {
        string[] names = [.. classes.Order(StringComparer.Ordinal)];
        int[] numbers = [.. names.Select(n =>
            int.TryParse(n, NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : -1)];
        if (numbers.All(n => n >= 0)) Array.Sort(numbers, names);
        return names;
    }
}
