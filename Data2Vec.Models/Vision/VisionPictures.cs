using Data2Vec.Kernels;
using Data2Vec.Models.Data;

namespace Data2Vec.Models;

/// <summary>Pictures to train on, whether drawn or read.</summary>
/// <param name="Name">One line on them.</param>
/// <param name="Digest">SHA-256.</param>
/// <param name="Count">How many.</param>
/// <param name="Processor">Size, mean and deviation.</param>
/// <param name="Read">Writes one by its number as [side, side, 3], normalised; safe for several threads.</param>
internal sealed record VisionPictures(
    string Name, string Digest, int Count, ImageProcessor Processor, Action<int, PhiloxStream, Memory<float>> Read)
{
    /// <summary>Mean and deviation of ImageNet, as the published pre-training uses them.</summary>
    public static ImageProcessor ImageNet(int side) => new()
    {
        Width = side, Height = side, Mean = [0.485, 0.456, 0.406], Deviation = [0.229, 0.224, 0.225],
    };

    /// <summary>Mean and deviation of given pictures.</summary>
    public static ImageProcessor Measure(IReadOnlyList<RgbImage> pictures, int side)
    {
        var (sums, squares, count) = (new double[3], new double[3], 0L);
        foreach (var picture in pictures)
        {
            for (var i = 0; i < picture.Pixels.Length; i++)
            {
                var x = picture.Pixels[i] / 255.0;
                sums[i % 3] += x;
                squares[i % 3] += x * x;
            }
            count += picture.Pixels.Length / 3;
        }
        return new ImageProcessor
        {
            Width = side, Height = side, Mean = [.. sums.Select(s => s / count)],
            Deviation = [.. sums.Zip(squares, (s, q) => Math.Sqrt(q / count - s / count * (s / count)))],
        };
    }
}
