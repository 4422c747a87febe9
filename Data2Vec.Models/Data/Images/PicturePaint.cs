using Data2Vec.Kernels;

namespace Data2Vec.Models.Data;

/// <summary>Two colours and the texture that mixes them.</summary>
internal sealed class PicturePaint
{
    // At 24 pixels a square of noise has two.
    private const int NoiseSquares = 12;

    private readonly PictureTexture texture;
    private readonly float[] first = new float[3];
    private readonly float[] change = new float[3];
    private readonly double frequency;
    private readonly double cosine;
    private readonly double sine;
    private readonly double phase;
    private readonly double otherPhase;
    private readonly float[] squares = [];

    private PicturePaint(PictureTexture texture, int side, PhiloxStream random)
    {
        this.texture = texture;
        var angle = texture switch
        {
            PictureTexture.Checks or PictureTexture.Dots => random.NextDouble() * Math.PI,
            PictureTexture.Plain or PictureTexture.Noise => 0,
            var stripes => (stripes - PictureTexture.Stripes0) * Math.PI / 4 + random.NextDouble(-0.15, 0.15),
        };
        (sine, cosine) = Math.SinCos(angle);
        frequency = 2 * Math.PI / (random.NextDouble(4.5, 8) * side / 24);
        (phase, otherPhase) = (random.NextDouble() * 2 * Math.PI, random.NextDouble() * 2 * Math.PI);
        if (texture != PictureTexture.Noise) return;
        squares = new float[NoiseSquares * NoiseSquares];
        foreach (ref var square in squares.AsSpan()) square = random.NextSingle();
    }

    /// <summary>
    /// Textured: a colour of saturation .4 to 1 and value .7 to 1 (bright) or .3 to .6, mixed with the same colour
    /// times .6 to .9. Silhouettes: a grey of .65 to .95 or .05 to .35 with a trace of the hue, a texture of .12.
    /// </summary>
    public static PicturePaint Draw(
        PictureKind kind, double hue, PictureTexture texture, bool bright, int side, PhiloxStream random)
    {
        var paint = new PicturePaint(texture, side, random);
        if (kind == PictureKind.Textured)
        {
            var saturation = random.NextDouble(0.4, 1);
            var value = bright ? random.NextDouble(0.7, 1) : random.NextDouble(0.3, 0.6);
            var darker = random.NextDouble(0.6, 0.9);
            for (var c = 0; c < 3; c++)
            {
                paint.first[c] = (float)Channel(hue, saturation, value, c);
                paint.change[c] = (float)(paint.first[c] * (darker - 1));
            }
        }
        else
        {
            var grey = bright ? random.NextDouble(0.65, 0.95) : random.NextDouble(0.05, 0.35);
            for (var c = 0; c < 3; c++)
            {
                paint.first[c] = (float)(grey * (1 + 0.15 * (Channel(hue, 0.6, 1, c) - 0.7)) - 0.06);
                paint.change[c] = 0.12f;
            }
        }
        return paint;
    }

    /// <summary>Paints a whole picture.</summary>
    /// <param name="pixels">[side, side, 3].</param>
    /// <param name="side">Pixels of a side.</param>
    public void Fill(float[] pixels, int side)
    {
        for (var y = 0; y < side; y++)
            for (var x = 0; x < side; x++)
            {
                var mix = Mix(x, y, side);
                var at = (y * side + x) * 3;
                for (var c = 0; c < 3; c++) pixels[at + c] = first[c] + change[c] * mix;
            }
    }

    /// <summary>0 = the first colour, 1 = the second.</summary>
    private float Mix(int column, int row, int side)
    {
        if (texture == PictureTexture.Plain) return 0;
        if (texture == PictureTexture.Noise)
            return squares[row * NoiseSquares / side * NoiseSquares + column * NoiseSquares / side];
        var (x, y) = (column + 0.5, row + 0.5);
        var along = Math.Sin((x * cosine + y * sine) * frequency + phase);
        if (texture is not (PictureTexture.Checks or PictureTexture.Dots)) return (float)(0.5 + 0.5 * along);
        var across = Math.Sin((y * cosine - x * sine) * frequency + otherPhase);
        return texture == PictureTexture.Checks
            ? (float)(0.5 + 0.5 * Math.Tanh(4 * along * across))
            : (float)(1 / (1 + Math.Exp(-8 * (along + across - 1))));
    }

    /// <summary>
    /// Channel 0 (red), 1 or 2 of a colour: value * (1 - saturation * clamp(|distance of the hue from the channel's, in
    /// sixths| - 1, 0, 1)). Source: Smith, "Color gamut transform pairs" (SIGGRAPH 1978).
    /// </summary>
    private static double Channel(double hue, double saturation, double value, int channel)
    {
        var distance = Math.Abs(hue * 6 - channel * 2);
        distance = Math.Min(distance, 6 - distance);
        return value * (1 - saturation * Math.Clamp(distance - 1, 0, 1));
    }
}
