using Data2Vec.Kernels;

namespace Data2Vec.Models.Data;

/// <summary>
/// What training changes in a picture, each time otherwise: colours, side, and a random part of it in the size that the
/// encoder reads. Defaults are those of the published vision model.
/// </summary>
/// <remarks>
/// In this order: colour jitter (its operations in a random order, as torchvision's ColorJitter), crop, resize, flip.
/// What comes out depends on the picture and on the stream only.
/// </remarks>
public sealed record ImageAugmentation
{
    /// <summary>Pixels of a row of the result.</summary>
    public int Width { get; init; } = 224;

    /// <summary>Rows of the result.</summary>
    public int Height { get; init; } = 224;

    /// <summary>The part that is cut out; null = the whole picture.</summary>
    public RandomResizedCrop? Crop { get; init; } = new();

    /// <summary>Filter of the resize.</summary>
    public ResizeFilter Filter { get; init; } = ResizeFilter.Bicubic;

    /// <summary>Probability of exchanging left and right.</summary>
    public double Flip { get; init; } = 0.5;

    /// <summary>The factor of the brightness is drawn from 1 - this to 1 + this, and not below 0.</summary>
    public double Brightness { get; init; } = 0.4;

    /// <summary>As <see cref="Brightness"/>, for the contrast.</summary>
    public double Contrast { get; init; } = 0.4;

    /// <summary>As <see cref="Brightness"/>, for the saturation.</summary>
    public double Saturation { get; init; } = 0.4;

    /// <summary>The hue is turned by up to this part of the circle, both ways; at most 0.5.</summary>
    public double Hue { get; init; }

    /// <summary>Changes a picture.</summary>
    /// <param name="image">The picture; not changed.</param>
    /// <param name="random">Where the draws come from; consumed in a fixed order.</param>
    /// <returns>A picture of <see cref="Width"/> x <see cref="Height"/>.</returns>
    public RgbImage Apply(RgbImage image, PhiloxStream random)
    {
        image = Jitter(image, random);
        var box = Crop?.Draw(image.Width, image.Height, random);
        var flip = random.NextDouble() < Flip;
        if (box is { } b) image = image.Crop(b.Left, b.Top, b.Width, b.Height);
        // Flipped last, where least is left to flip; crops of a picture and of its mirror are equally likely.
        image = ImageResize.Resize(image, Width, Height, Filter);
        return flip ? image.FlipHorizontally() : image;
    }

    private RgbImage Jitter(RgbImage image, PhiloxStream random)
    {
        ReadOnlySpan<double> strengths = [Brightness, Contrast, Saturation, Hue];
        Span<int> order = [0, 1, 2, 3];
        random.Shuffle(order);
        foreach (var operation in order)
        {
            var strength = strengths[operation];
            if (strength <= 0) continue;
            var draw = (2 * random.NextDouble() - 1) * strength;
            var factor = Math.Max(0, 1 + draw);
            image = operation switch
            {
                0 => ImageColour.Brightness(image, factor),
                1 => ImageColour.Contrast(image, factor),
                2 => ImageColour.Saturation(image, factor),
                _ => ImageColour.Hue(image, draw),
            };
        }
        return image;
    }
}
